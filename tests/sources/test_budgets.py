"""What a list may cost has limits: a small file that asks for much is refused soon, and in little memory."""

from __future__ import annotations

import gzip
import json
import re
import socketserver
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curator.errors import SourceError
from curator.manifests.settings import FetchSettings, ListSettings
from curator.sources import budget as budget_module
from curator.sources.base import ListingContext
from curator.sources.budget import within
from curator.sources.coco.coco_source import Coco
from curator.sources.failures import as_source_error
from curator.sources.open_images.wanted_rows import filter_csv
from curator.sources.reading.read import read_place
from curator.sources.url_list.url_list_source import UrlList
from tests.peak_memory import PEAK

ROW = b"http://h.example/1.jpg,ball\n"
LOOK = f"""{PEAK}
import json, sys
import curator.sources.budget as budget
from curator.errors import CuratorError
from curator.survey.survey import survey
budget.half_of_memory = lambda: 1_500_000_000
said = {{}}
for place in sys.argv[1:]:
    try:
        survey([place])
    except CuratorError as error:
        said[place] = str(error)
print(json.dumps([said, peak_bytes()]))
"""


def packed(body: bytes, n: int) -> bytes:
    return gzip.compress(b"url,label\n" + body * n, 1)


def sheet(path: Path, rows: str) -> None:
    """Write a workbook whose sheet has these rows, as XML."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.save(path.with_suffix(".base"))
    head = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    )
    header = '<row r="1"><c r="A1" t="inlineStr"><is><t>url</t></is></c></row>'
    with zipfile.ZipFile(path.with_suffix(".base")) as base, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name in base.namelist():
            is_sheet = name == "xl/worksheets/sheet1.xml"
            out.writestr(name, f"{head}{header}{rows}</sheetData></worksheet>" if is_sheet else base.read(name))


def wide_table(path: Path) -> None:
    pq.write_table(pa.table({f"c{n}": pa.array([1]) for n in range(1_001)}), path)


def one_text_in_all_rows(path: Path) -> None:
    """A dictionary: 100 KB stand for 20 GB."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["x" * 1_000_000]))
    pq.write_table(pa.table({"url": texts, "label": ["a"] * 20_000}), path)


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "keys.jsonl": (
        lambda path: path.write_text("".join(f'{{"k{n}":1}}\n' for n in range(60_000))),
        "1,000 columns.*max_columns",
    ),
    "keys.json": (
        lambda path: path.write_text(json.dumps([{f"k{n}": 1} for n in range(60_000)])),
        "1,000 columns.*max_columns",
    ),
    "columns.csv": (
        lambda path: path.write_text(",".join(f"c{n}" for n in range(1_000_000)) + "\n"),
        "1,000 columns.*max_columns",
    ),
    "columns.tsv": (
        lambda path: path.write_text("url\t" + "\t".join("c" * n for n in range(1, 1_500)) + "\n"),
        "1,000 columns.*max_columns",
    ),
    "wide.parquet": (wide_table, "1,000 columns.*max_columns"),
    "dictionary.parquet": (one_text_in_all_rows, "memory.*max_memory"),
    "columns.xlsx": (
        lambda path: sheet(path, '<row r="2"><c r="XFD2"><v>1</v></c></row>'),
        "1,000 columns.*max_columns",
    ),
    "deep.json": (lambda path: path.write_text("[" * 500_000 + "]" * 500_000), "nested too deeply"),
    "deep.jsonl": (lambda path: path.write_text(('{"a":' * 50_000 + "1" + "}" * 50_000 + "\n") * 3), "a JSON object"),
    "empties.json": (lambda path: path.write_text("[" + "{}," * 300_000 + "{}]"), "without any value"),
}


def test_hostile_files_are_refused_in_a_paragraph_and_in_bounded_memory(tmp_path: Path) -> None:
    """As `init --from` looks at them, one after the other in one process: under 1 GB, where there were up to 13."""
    for name, (write, _) in HOSTILE.items():
        write(tmp_path / name)
    places = [str(tmp_path / name) for name in HOSTILE]
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *places], capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr
    said, peak = json.loads(done.stdout)
    for name, (_, words) in HOSTILE.items():
        message = said[str(tmp_path / name)]
        assert re.search(words, message) and "\n" not in message, message
    assert peak < 1_000_000_000


@pytest.fixture
def listed(tmp_path: Path) -> Callable[..., int]:
    """List what is in a file, within limits, as a fetch does; return the number of rows."""

    def run(name: str, body: bytes | None = None, kind: type = UrlList, **limits: float) -> int:
        if body is not None:
            (tmp_path / name).write_bytes(body)
        context = ListingContext(("ball",), tmp_path / "cache", tmp_path)
        with as_source_error(), within(ListSettings(**limits)):  # type: ignore[arg-type]
            return len(kind(path=name).list_images(0, ["ball"], context))

    return run


@pytest.mark.parametrize(
    ("limit", "enough", "words"),
    [
        ({"max_rows": 99}, {"max_rows": 100}, r"has more than 99 rows. .*raise `max_rows` under \[lists\]"),
        ({"max_columns": 1}, {"max_columns": 2}, "has more than 1 columns. .*`max_columns`"),
        ({"max_bytes": 2_809}, {"max_bytes": 2_810}, "has more than 2,809 bytes, once unpacked. .*`max_bytes`"),
        ({"max_memory": 1_000}, {"max_memory": 4_000_000_000}, "memory.*`max_memory`"),
        ({"max_seconds": 1e-9}, {"max_seconds": 3_600.0}, "takes more than 1e-09 seconds to read. .*`max_seconds`"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "csv.gz", "jsonl"])
def test_each_limit_holds_and_can_be_raised(
    listed: Callable[..., int], limit: dict[str, float], enough: dict[str, float], words: str, form: str
) -> None:
    """At the limit a list is read; beyond it, one sentence says which setting to raise."""
    body = b"url,label\n" + b"".join(ROW.replace(b"1.", b"%02d." % n) for n in range(100))
    if form == "jsonl":
        body = b"".join(b'{"url":"http://h.example/%02d.jpg","label":"ball"}\n' % n for n in range(100))
        if "max_bytes" in limit:
            limit, enough, words = {"max_bytes": len(body) - 1}, {"max_bytes": len(body)}, "bytes, once unpacked"
    elif "max_bytes" in limit:
        limit, enough = {"max_bytes": len(body) - 1}, {"max_bytes": len(body)}
        words = "bytes, once unpacked. .*`max_bytes`"
    name = f"list.{form}"
    body = gzip.compress(body) if form.endswith("gz") else body
    with pytest.raises(SourceError, match=words):
        listed(name, body, **limit)
    assert listed(name, **enough) == 100


@pytest.mark.parametrize(
    ("name", "write", "limits", "words"),
    [
        ("zeros.csv.gz", lambda: packed(b"x" * 1_000_000, 50), {"max_bytes": 20_000_000}, "max_bytes"),
        ("rows.csv.gz", lambda: packed(b"a,b\n", 1_000_000), {"max_rows": 500_000}, "max_rows"),
        (
            "blank.jsonl.gz",
            lambda: gzip.compress(b'{"url":"a"}\n' * 2 + b"\n" * 5_000_000),
            {"max_rows": 500_000},
            "max_rows",
        ),
    ],
)
def test_a_bomb_is_not_unpacked_to_its_end(
    listed: Callable[..., int], name: str, write: Callable[[], bytes], limits: dict[str, float], words: str
) -> None:
    """Of gzip: whatever a few kilobytes stand for."""
    with pytest.raises(SourceError, match=words):
        listed(name, write(), **limits)


def test_numbers_of_rows_that_a_workbook_states_are_not_counted_up_to(
    listed: Callable[..., int], tmp_path: Path
) -> None:
    """Between its rows 1 and 99,999,999,999 there are none; the limit of rows counts them."""
    sheet(tmp_path / "gap.xlsx", '<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>')
    with pytest.raises(SourceError, match=r"has more than 5,000 rows. .*`max_rows`"):
        listed("gap.xlsx", max_rows=5_000)


def test_the_tables_of_every_source_have_limits(tmp_path: Path, listed: Callable[..., int]) -> None:
    """Annotations of COCO and tables of Open Images are read within the same ones."""
    with pytest.raises(SourceError, match="max_bytes"):
        listed("a.json", json.dumps({"images": [], "annotations": []}).encode() + b" " * 5_000, Coco, max_bytes=5_000)
    table = tmp_path / "labels.csv"
    table.write_text(",".join(["ImageID", "LabelName", *map(str, range(1_000))]) + "\n")
    context = ListingContext((), tmp_path)
    with pytest.raises(SourceError, match="more than 1,000 columns"):
        read_place(str(table), lambda stream: filter_csv(stream, ("ImageID",), "LabelName", ["a"]), context)


def test_a_key_that_few_rows_have_costs_no_other_row_a_text(listed: Callable[..., int], tmp_path: Path) -> None:
    """What else a row says is kept with it: only its own columns, not the nulls of all the others."""
    rows = ({"url": f"http://h.example/{n}.jpg", "label": "ball", f"k{n % 300}": 1} for n in range(3_000))
    (tmp_path / "list.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    context = ListingContext(("ball",), tmp_path / "cache", tmp_path)
    table = UrlList(path="list.jsonl").list_images(0, ["ball"], context)
    assert len(table) == 3_000 and {*table["extra"].str.len()} <= {11, 12, 13}


@pytest.fixture
def trickle() -> Iterator[str]:
    """A server that sends a row, and then a byte a second for as long as it is listened to."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nurl,label\n")
            while not over.wait(0.5):
                try:
                    self.wfile.write(b"a")
                except OSError:
                    return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    over = threading.Event()
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/list.csv"
        over.set()
        server.shutdown()


@pytest.mark.parametrize(("timeout_s", "max_seconds", "words"), [(2, 3_600, "broke off"), (600, 2, "max_seconds")])
def test_a_byte_a_second_comes_to_an_end(
    trickle: str, tmp_path: Path, timeout_s: int, max_seconds: int, words: str
) -> None:
    """By the slowness of the connection, and by the time of all of it."""
    settings = FetchSettings(allow_private_hosts=True, retries=0, timeout_s=timeout_s)
    context = ListingContext(("ball",), tmp_path, tmp_path, settings)
    began = time.monotonic()
    with pytest.raises(SourceError, match=words), within(ListSettings(max_seconds=max_seconds)):
        read_place(trickle, lambda stream: stream.read(), context)
    assert time.monotonic() - began < 120


def test_the_limit_of_memory_is_this_machines_and_taken_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Half of what there is, or of what a container may take; after a source, the process is as free as before."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    assert 0 < budget_module.half_of_memory() < 1 << 50
    (tmp_path / "memory.max").write_text("2000000000\n")
    monkeypatch.setattr(budget_module, "_CGROUP", tmp_path / "memory.max")
    assert budget_module.half_of_memory() <= 1_000_000_000
    with pytest.raises(SourceError, match="more memory than a list may"), as_source_error(), within(ListSettings()):
        assert sys.platform != "linux" or resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
        bytearray(1 << 45)
    with pytest.raises(SourceError, match="nested too deeply"), as_source_error():
        raise RecursionError
    assert resource.getrlimit(resource.RLIMIT_AS) == before


FEW_BYTES = """
import io
from curator import catalog
from curator.manifests.settings import ListSettings
from curator.sources.budget import within
from curator.sources.url_list.formats import read_url_table
table = catalog.empty()
arrow = catalog.to_arrow(table)
with within(ListSettings(max_memory=6_000_000)):
    print(read_url_table(io.BufferedReader(io.BytesIO(b"url,label\\nhttp://e.org/1,rugby\\n")), "l.csv").rows.num_rows)
    print(len(catalog.from_arrow(arrow)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_no_thread_has_to_be_started_within_the_limit() -> None:
    """One that cannot have its stack, of 8 MB, ends the process without a word to the person."""
    done = subprocess.run([sys.executable, "-c", FEW_BYTES], capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["1", "0"]), done.stderr
