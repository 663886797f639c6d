"""Rows of labels that a recipe does not want are left out of a list while it is read: nothing else changes by that."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curator.errors import SourceError
from curator.events import Remark
from curator.manifests.labels import LabelFinder
from curator.manifests.settings import ListSettings
from curator.sources.base import ListingContext
from curator.sources.budget import within
from curator.sources.huggingface.huggingface_source import HuggingFace
from curator.sources.url_list.url_list_source import UrlList
from curator.text import spell

LABELS = {"rugby": ("Rugby union",), "soccer": ()}
WRITTEN = (
    *("rugby", "soccer", " Rugby union ", "golf", "golf", "tennis", "chess", "", "label", '["rugby"]', '["golf"]'),
    *("rugby|soccer", "golf, tennis", "golf; bowls", "Ardea cinerea, 1758", '["rugby", "golf"]'),
)
N_ROWS = 4_000


def rows_of(seed: int, n_rows: int = N_ROWS) -> list[dict[str, str]]:
    """Rows with all that is reported of rows, most of labels that are not wanted."""
    chance = random.Random(seed)
    rows = []
    for number in range(n_rows):
        url = f"http://e.org/{chance.randrange(n_rows)}.jpg" + chance.choice(("", "", "?a=1&amp;b=2", "?a=1&b=2"))
        label = chance.choice(WRITTEN)
        url = chance.choice((url,) * 20 + ("", " ", "url"))
        rows.append(
            {"url": url, "label": label, "split": chance.choice(("train", "test", "", "fold 1")), "n": str(number)}
        )
    return rows


def write_csv(rows: list[dict[str, str]], folder: Path) -> UrlList:
    quoted = lambda text: '"' + text.replace('"', '""') + '"'  # noqa: E731
    lines = [",".join(rows[0]), *(",".join(map(quoted, row.values())) for row in rows)]
    lines.insert(2_000, "short")
    (folder / "list.csv").write_text("\n".join(lines))
    return UrlList(path="list.csv")


def write_two(rows: list[dict[str, str]], folder: Path) -> UrlList:
    """The first table ends before which column is what is seen."""
    parts = {"a.csv": rows[:700], "b.csv": rows[700:]}
    for name, part in parts.items():
        write_csv(part, folder)
        (folder / "list.csv").rename(folder / name)
    return UrlList(path=("a.csv", "b.csv"), name="mine")


def write_json_lines(rows: list[dict[str, str]], folder: Path) -> UrlList:
    (folder / "list.jsonl").write_text("\n".join(map(json.dumps, [*rows[:500], 7, *rows[500:]])))
    return UrlList(path="list.jsonl")


def write_growing(rows: list[dict[str, str]], folder: Path) -> UrlList:
    """A column that says the label better comes late: all rows are read again."""
    late = [{"species": row["label"], **{k: v for k, v in row.items() if k != "label"}} for row in rows]
    late[3_900]["label"] = "rugby"
    (folder / "list.jsonl").write_text("\n".join(map(json.dumps, late)))
    return UrlList(path="list.jsonl")


def write_parquet(rows: list[dict[str, str]], folder: Path) -> UrlList:
    pq.write_table(pa.Table.from_pylist(rows), folder / "list.parquet", row_group_size=700)
    return UrlList(path="list.parquet")


def write_numbers(rows: list[dict[str, str]], folder: Path) -> HuggingFace:
    """Numbers of classes, whose names are in the metadata of the file, or in a card beside it."""
    names = [*dict.fromkeys(text.strip() for text in WRITTEN if text)]
    numbers = [names.index(row["label"].strip()) if row["label"] else None for row in rows]
    table = pa.table({"image_url": [row["url"] for row in rows], "label": pa.array(numbers, pa.int64())})
    pq.write_table(table, folder / "part.parquet", row_group_size=700)
    listed = "".join(f"          '{number}': {json.dumps(name)}\n" for number, name in enumerate(names))
    head = "dataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n"
    (folder / "README.md").write_text(f"---\n{head}{listed}---\n")
    return HuggingFace(path=".")


def listed(source: Any, folder: Path) -> tuple[list[str], list[dict[str, Any]], list[str]]:
    """List a source; return what is said, the rows, and the files that are watched."""
    said: list[str] = []
    watched: list[str] = []

    def hear(event: object) -> None:
        if isinstance(event, Remark):
            said.append(spell(event.message))

    finder = LabelFinder(dict(LABELS))
    context = ListingContext(
        tuple(LABELS),
        folder / "cache",
        folder,
        emit=hear,
        label_names=finder,
        watch=lambda paths: watched.extend(paths),
    )
    with within(ListSettings(), folder / "cache"):
        table = source.list_images(0, tuple(LABELS), context)
    return said, table.astype(object).where(table.notna(), None).to_dict("records"), sorted({*watched})


WRITERS: tuple[Callable[[list[dict[str, str]], Path], Any], ...] = (
    write_csv,
    write_two,
    write_json_lines,
    write_growing,
    write_parquet,
    write_numbers,
)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("seed", range(2))
def test_the_rows_and_the_reports_are_those_of_a_list_that_is_read_whole(
    write: Callable[[list[dict[str, str]], Path], Any], seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers within, rows without label or place, several labels, sides, escapes, refused rows: all counted."""
    source = write(rows_of(seed), tmp_path)
    said, rows, watched = listed(source, tmp_path)
    monkeypatch.setattr(UrlList, "_filter", lambda *given: None)
    whole_said, whole_rows, whole_watched = listed(source, tmp_path)
    assert said == whole_said
    assert rows == whole_rows
    assert watched == whole_watched
    assert any("without label" in text for text in said)


def address(number: int) -> str:
    return f"http://e.org/{number}.jpg"


LATE: Mapping[str, Mapping[str, Sequence[Sequence[str]]]] = {
    "several labels, each of which is left out": {
        "a.csv": [("url", "label"), *((address(n), "rugby") for n in range(1_000))]
        + [(address(n), text) for n, text in enumerate(["golf", "tennis"] * 50 + ["golf, tennis"] * 20, 1_000)]
    },
    "several labels, each in rows without address": {
        "a.csv": [("url", "label"), *((address(n), "rugby") for n in range(1_000))]
        + [("", text) for text in ["chess"] * 10 + ["golf", "tennis"] * 50]
        + [(address(n), "golf; tennis") for n in range(1_000, 1_020)]
    },
    "most with several labels": {
        "a.csv": [("url", "label"), *((address(n), "rugby") for n in range(1_000)), (address(1), "golf")]
        + [(address(n), text) for n, text in enumerate(["tennis"] + ["golf;tennis"] * 2_000, 1_000)]
    },
    "escaped addresses that are left out": {
        "a.csv": [("url", "label"), *((address(n), "rugby") for n in range(1_000))]
        + [(f"{address(n)}?a=1&amp;b=2", "golf") for n in range(1_000, 1_100)]
    },
    "a refused row, and in the next table a column that may have a role": {
        "a.csv": [("url", "label"), *((address(n), ("rugby", "golf")[n % 2]) for n in range(1_500)), ("short",)],
        "b.csv": [("url", "label", "license"), *((address(n), "golf", "CC0") for n in range(2_000, 3_500))],
    },
}


@pytest.mark.parametrize("what", LATE)
def test_what_comes_late_is_reported_as_of_a_list_that_is_read_whole(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the first thousand rows, of which all are kept."""
    for name, rows in LATE[what].items():
        lines = (",".join(f'"{text}"' for text in row) for row in rows)
        (tmp_path / name).write_text("\n".join(lines))
    source = UrlList(path=tuple(LATE[what]))

    def outcome() -> object:
        try:
            return listed(source, tmp_path)
        except SourceError as error:
            return str(error)

    found = outcome()
    monkeypatch.setattr(UrlList, "_filter", lambda *given: None)
    assert found == outcome()


def test_unwanted_rows_are_left_out_while_they_are_read(tmp_path: Path) -> None:
    """Beyond the first thousand, what is kept is what is wanted, or may be."""
    rows = [{"url": f"http://e.org/{n}.jpg", "label": "golf" if n % 100 else "rugby"} for n in range(20_000)]
    write_csv(rows, tmp_path)
    context = ListingContext(tuple(LABELS), tmp_path, tmp_path, label_names=LabelFinder(dict(LABELS)))
    tables = UrlList(path="list.csv").read(context, only_wanted=True)
    assert tables.rows.num_rows == 1_000 + 190
    assert tables.left_out.others == {"golf": 19_000 - 190}


def test_a_list_of_other_labels_says_which_it_has(tmp_path: Path) -> None:
    """Those too that were left out while it was read."""
    write_csv([{"url": f"http://e.org/{n}.jpg", "label": f"class {n % 3}"} for n in range(6_000)], tmp_path)
    with pytest.raises(SourceError, match="class 0 2,000, class 1 2,000, class 2 2,000"):
        listed(UrlList(path="list.csv"), tmp_path)


PROGRAM = """
import sys
from tests.benchmarks.bench_sources import EACH, FEW, SOURCES, judge
from pathlib import Path
import tempfile
for every in (EACH, FEW):
    with tempfile.TemporaryDirectory() as folder:
        for one in SOURCES[sys.argv[1]](120_000, every, Path(folder)):
            for verdict in judge(one):
                if not verdict.is_met and "speed" not in verdict.name:
                    print(verdict)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in /proc")
@pytest.mark.parametrize("name", ["captions", "huggingface", "url-list"])
def test_memory_stays_within_the_limits_of_the_benchmark(name: str) -> None:
    """Make bench-sources asks the same of a million rows, and of the sources that are servers."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name], cwd=root, capture_output=True, text=True, timeout=600, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
