"""Measure what listing a million rows takes with each source: rows a second, and memory while it reads and in the end.

All rows are wanted, or one in a hundred; and all of three tenths as many rows, which must take the same memory. Servers
of this machine answer as the real ones do, or tables are written, both by other processes. Each source is measured in
a new process: the most resident memory (what is mapped of files too), and the most that is the process's own
(`RssAnon`), both less what it had before it listed anything.
"""

from __future__ import annotations

import argparse
import ctypes
import functools
import gc
import gzip
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT)]

from curator import catalog  # noqa: E402
from curator.events import Event, Warned  # noqa: E402
from curator.manifests.labels import LabelFinder  # noqa: E402
from curator.manifests.settings import FetchSettings, ListSettings  # noqa: E402
from curator.pipeline.acquire import Listing  # noqa: E402
from curator.sources.base import ListingContext, Source  # noqa: E402
from curator.sources.budget import within  # noqa: E402
from curator.sources.captions.captions_source import Captions  # noqa: E402
from curator.sources.flickr import search_pages  # noqa: E402
from curator.sources.flickr.flickr_source import Flickr  # noqa: E402
from curator.sources.folder.folder_source import Folder  # noqa: E402
from curator.sources.huggingface.huggingface_source import HuggingFace  # noqa: E402
from curator.sources.imagenet.imagenet_source import Imagenet  # noqa: E402
from curator.sources.inaturalist.inaturalist_source import INaturalist  # noqa: E402
from curator.sources.open_images.open_images_source import OpenImages  # noqa: E402
from curator.sources.url_list.url_list_source import UrlList  # noqa: E402
from curator.sources.wikimedia.wikimedia_source import Wikimedia  # noqa: E402
from tests.benchmarks.verdict import Verdict, at_least, at_most, conclude  # noqa: E402
from tests.peak_memory import forget_peak, peak_bytes  # noqa: E402

LABELS = ("rugby", "soccer")
EACH, FEW = 1, 100
"""Every row is wanted; one in a hundred."""


@dataclass(frozen=True)
class Figures:
    """What a case took: of ``n_rows`` rows one in ``every`` is wanted, and ``n_listed`` were listed."""

    case: str
    n_rows: int
    every: int
    n_listed: int
    seconds: float
    more: int
    own: int
    listed_bytes: int


def measure(case: str, n_rows: int, every: int, work: Callable[[], tuple[int, int]]) -> Figures:
    """Do the work, which returns how many rows it listed, and their bytes."""
    before, own_before = _at_first()
    _give_back()
    forget_peak()
    began = time.monotonic()
    with own_memory() as own:
        n_listed, n_bytes = work()
    seconds, more = time.monotonic() - began, peak_bytes() - before
    return Figures(case, n_rows, every, n_listed, seconds, more, max(own) - own_before, n_bytes)


def _give_back() -> None:
    """Let the allocators give back what an earlier case left: it is none of this one's."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


@functools.cache
def _at_first() -> tuple[int, int]:
    """Return the resident memory before anything was listed, and what of it was this process's own."""
    forget_peak()
    return peak_bytes(), _own_bytes()


@contextmanager
def own_memory() -> Iterator[list[int]]:
    """Look again and again at the memory that is no mapped file's; yield what was seen."""
    seen, is_over = [_own_bytes()], threading.Event()

    def look() -> None:
        while not is_over.wait(0.01):
            seen.append(_own_bytes())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()
        seen.append(_own_bytes())


def _own_bytes() -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return 1024 * next((int(line.split()[1]) for line in lines if line.startswith("RssAnon:")), 0)


def context_in(folder: Path) -> ListingContext:
    """Return what a source may use; what it says of trouble is printed."""

    def tell(event: Event) -> None:
        if isinstance(event, Warned):
            print(f"  {event.message}")

    fetch = FetchSettings(allow_private_hosts=True, contact="bench@example.org")
    names = LabelFinder(dict.fromkeys(LABELS, ()))
    return ListingContext(LABELS, folder / "sources", folder, fetch, tell, label_names=names)


def listed(source: Source, context: ListingContext) -> tuple[int, int]:
    """List a source; return how many rows, and the bytes of them and of the files to watch, each buffer once."""
    listing = Listing()
    with within(ListSettings(), context.cache_dir):
        rows = source.list_images(0, LABELS, replace(context, watch=partial(listing.watch, 0)))
    columns = [*catalog.to_arrow(rows).columns, *(one.paths for one in listing.watched)]
    buffers = (buffer for column in columns for chunk in column.chunks for buffer in chunk.buffers())
    return len(rows), sum({buffer.address: buffer.size for buffer in buffers if buffer}.values())


def wikimedia(n_rows: int, every: int, folder: Path) -> Iterator[Figures]:
    """A category of so many files, 50 an answer; those that are not wanted are drawings."""
    with served(serve_commons, n_rows, every) as url:
        source = Wikimedia(categories={"rugby": ("Rugby",)}, most=n_rows, api=f"{url}/w/api.php")
        context = context_in(folder)
        yield measure("wikimedia", n_rows, every, lambda: listed(source, context))
        yield measure("wikimedia, of what is kept", n_rows, every, lambda: listed(source, context))


def captions(n_rows: int, every: int, folder: Path) -> Iterator[Figures]:
    """A TSV as CC12M is and Parquet as of LAION: some rows have a word, one in twenty is not ASCII."""
    words = {"rugby": ("rugby", "scrum*"), "soccer": ("soccer", "football match")}
    elsewhere(write_captions, n_rows, every, folder)
    for name in ("cc12m.tsv", "laion.parquet"):
        source = Captions(path=name, words=words)
        work = partial(listed, source, context_in(folder))
        yield measure(f"captions, {name.rpartition('.')[2]}", n_rows, every, work)


def elsewhere(write: Callable[[int, int, Path], None], n_rows: int, every: int, folder: Path) -> None:
    """Write tables in another process, whose memory is not measured."""
    writer = multiprocessing.get_context("spawn").Process(target=write, args=(n_rows, every, folder))
    writer.start()
    writer.join()
    if writer.exitcode:
        raise SystemExit(f"The tables of {write.__name__} were not written.")


def write_captions(n_rows: int, every: int, folder: Path) -> None:
    """Write the tables of addresses and captions."""
    numbers = np.arange(n_rows)
    texts = np.where(
        numbers % every == 0, "players at a rugby match in the rain", "a photograph of something else entirely"
    )
    texts = np.where((numbers % 20 == 1) & (numbers % every != 0), "ein Foto von etwas ganz anderem in Köln", texts)
    urls = _urls(numbers)
    table = pa.table({"URL": urls, "TEXT": texts, "similarity": np.full(n_rows, 0.3)})
    pq.write_table(table, folder / "laion.parquet", row_group_size=100_000)
    with (folder / "cc12m.tsv").open("w", encoding="utf-8") as file:
        file.writelines(f"{url}\t{text}\n" for url, text in zip(urls, texts, strict=True))


def _urls(numbers: Any) -> Any:
    return np.char.add("http://example.org/pictures/of/things/", np.char.add(numbers.astype(str), ".jpg"))


def huggingface(n_rows: int, every: int, folder: Path) -> Iterator[Figures]:
    """Ten Parquet files of addresses with numbers of classes, of which two are wanted."""
    elsewhere(write_parquet, n_rows, every, folder)
    yield measure("huggingface", n_rows, every, lambda: listed(HuggingFace(path="."), context_in(folder)))


def write_parquet(n_rows: int, every: int, folder: Path) -> None:
    """Write the files of a data set, and its card."""
    (folder / "train").mkdir()
    for first in range(0, n_rows, n_rows // 10):
        numbers = np.arange(first, first + n_rows // 10)
        labels = np.where(numbers % every == 0, numbers // every % 2, 2)
        pq.write_table(pa.table({"image_url": _urls(numbers), "label": labels}), folder / f"train/{first:08}.parquet")
    info = "".join(f"          '{number}': {label}\n" for number, label in enumerate([*LABELS, "golf"]))
    head = "dataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n"
    (folder / "README.md").write_text(f"---\nlicense: cc-by-4.0\n{head}{info}---\n")


def url_list(n_rows: int, every: int, folder: Path) -> Iterator[Figures]:
    """A CSV, and the same as JSON lines."""
    elsewhere(write_lists, n_rows, every, folder)
    for name in ("list.csv", "list.jsonl"):
        work = partial(listed, UrlList(path=name), context_in(folder))
        yield measure(f"url-list, {name.rpartition('.')[2]}", n_rows, every, work)


def imagenet(n_rows: int, every: int, folder: Path) -> Iterator[Figures]:
    """A list of all synsets, of which two are wanted: all rows are theirs, or one in a hundred."""
    elsewhere(write_synsets, n_rows, every, folder)
    source = Imagenet(synsets={"rugby": ("n00470966",), "soccer": ("n00478262",)}, urls=("fall11_urls.txt",))
    yield measure("imagenet", n_rows, every, lambda: listed(source, context_in(folder)))


def local_files(n_rows: int, every: int, folder: Path) -> Iterator[Figures]:
    """So many files, a thousand a folder, as a folder and as a CSV beside it that names them."""
    elsewhere(write_files, n_rows, every, folder)
    for name, source in {"folder": Folder(path="."), "url-list, local files": UrlList(path="list.csv")}.items():
        yield measure(name, n_rows, every, partial(listed, source, context_in(folder)))


def write_files(n_rows: int, every: int, folder: Path) -> None:
    """Write a thousand empty files, give each many names, which is quicker than to write more, and the CSV."""
    (folder / ".first").mkdir()
    files = [folder / ".first" / f"{number}" for number in range(A_FOLDER)]
    for file in files:
        file.touch()
    with (folder / "list.csv").open("w") as table:
        table.write("path,label\n")
        for number in range(n_rows):
            label = LABELS[number // every % 2] if number % every == 0 else "golf"
            name = f"{label}/match_{number // A_FOLDER:06}/photograph_from_the_stand_{number:07}.jpg"
            if number % A_FOLDER < 2 * every:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(files[number % A_FOLDER], folder / name)
            table.write(f"{name},{label}\n")


A_FOLDER = 1_000
"""Files in one folder."""


def write_synsets(n_rows: int, every: int, folder: Path) -> None:
    """Write a list as fall11_urls.txt is."""
    with (folder / "fall11_urls.txt").open("w") as file:
        for number in range(n_rows):
            wnid = ("n00470966", "n00478262")[number // every % 2] if number % every == 0 else "n02084071"
            file.write(f"{wnid}_{number}\thttp://example.org/pictures/of/things/{number}.jpg\n")


def open_images(n_rows: int, every: int, folder: Path) -> Iterator[Figures]:
    """So many labels that people verified, and the table of their images."""
    elsewhere(write_open_images, n_rows, every, folder)
    classes = {"rugby": ("/m/06bqd",), "soccer": ("/m/02vx4",)}
    source = OpenImages(classes=classes, subsets=("validation",), metadata=".")
    yield measure("open-images", n_rows, every, lambda: listed(source, context_in(folder)))
    source, context = replace(source, images="."), replace(context_in(folder), cache_dir=folder / "anew")
    yield measure("open-images, local files", n_rows, every, lambda: listed(source, context))


def write_open_images(n_rows: int, every: int, folder: Path) -> None:
    """Write the labels, images and classes of the validation part."""
    names = "/m/06bqd,Rugby\n/m/02vx4,Football\n/m/01yrx,Cat\n"
    (folder / "oidv7-class-descriptions.csv").write_text(f"LabelName,DisplayName\n{names}")
    head = (
        "ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,Author,Title,OriginalSize,OriginalMD5"
    )
    by = "https://creativecommons.org/licenses/by/2.0/"
    with (
        (folder / "oidv7-val-annotations-human-imagelabels.csv").open("w") as labels,
        (folder / "validation-images-with-rotation.csv").open("w") as images,
    ):
        labels.write("ImageID,Source,LabelName,Confidence\n")
        images.write(f"{head},Thumbnail300KURL,Rotation\n")
        for number in range(n_rows):
            image = f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}"
            mid = ("/m/06bqd", "/m/02vx4")[number // every % 2] if number % every == 0 else "/m/01yrx"
            labels.write(f"{image},verification,{mid},1\n")
            pages = f"https://live.example/{number}.jpg,https://www.example/photos/ann/{number},{by},https://www.example/ann"
            images.write(f"{image},validation,{pages},Ann,A ruck,{number},bLXYcWBMHYeWkGqiBHz5jw==,,0.0\n")


def write_lists(n_rows: int, every: int, folder: Path) -> None:
    """Write the CSV and the JSON lines."""
    with (folder / "list.csv").open("w") as table, (folder / "list.jsonl").open("w") as lines:
        table.write("url,label,author\n")
        for number in range(n_rows):
            label = LABELS[number // every % 2] if number % every == 0 else "golf"
            url, author = f"http://example.org/pictures/of/things/{number}.jpg", f"Ann {number % 999}"
            table.write(f"{url},{label},{author}\n")
            lines.write(json.dumps({"url": url, "label": label, "author": author}) + "\n")


def inaturalist(n_rows: int, every: int, folder: Path) -> Iterator[Figures]:
    """So many observations, each with a photo; of those of a taxon at most 5,000 are listed."""
    elsewhere(write_tables, n_rows, every, folder)
    source = INaturalist(taxa={"rugby": ("Rugbya",), "soccer": ("Soccera",)}, path=".")
    yield measure("inaturalist", n_rows, every, lambda: listed(source, context_in(folder)))


def write_tables(n_rows: int, every: int, folder: Path) -> None:
    """Write the open-data tables."""
    taxa = [(0, "", "Animalia"), (1, "0", "Rugbya"), (2, "0", "Soccera"), (3, "0", "Alia")]
    heads = {
        "taxa": "taxon_id ancestry rank_level rank name active",
        "observations": "observation_uuid observer_id latitude longitude positional_accuracy taxon_id quality_grade "
        "observed_on anomaly_score",
        "photos": "photo_uuid photo_id observation_uuid observer_id extension license width height position",
        "observers": "observer_id login name",
    }
    files = {name: gzip.open(folder / f"{name}.csv.gz", "wt", compresslevel=1) for name in heads}  # noqa: SIM115
    for name, head in heads.items():
        files[name].write(head.replace(" ", "\t") + "\n")
    files["taxa"].writelines(f"{one}\t{above}\t20\tgenus\t{name}\ttrue\n" for one, above, name in taxa)
    for number in range(n_rows):
        uuid = f"{number * 2654435761 % 2**32:08x}-0000-4000-8000-{number:012x}"
        taxon = 1 + number // every % 2 if number % every == 0 else 3
        files["observations"].write(f"{uuid}\t{number % 999}\t1.25\t2.5\t10\t{taxon}\tresearch\t2020-01-02\t0.9\n")
        files["photos"].write(f"{uuid}\t{number}\t{uuid}\t{number % 999}\tjpg\tCC-BY\t2048\t1536\t0\n")
    files["observers"].writelines(f"{number}\tlogin{number}\tName {number}\n" for number in range(999))
    for file in files.values():
        file.close()


def flickr(n_rows: int, every: int, folder: Path) -> Iterator[Figures]:
    """Searches of 4,000 photos each; what Flickr's pace costs, a second for 500 photos, is left out."""
    with served(serve_flickr, n_rows, every) as url:
        search_pages.API, search_pages.PAUSE_S = f"{url}/rest/", 0.0
        os.environ[search_pages.KEY] = "key"
        source = Flickr(search={"rugby": tuple(map(str, range(n_rows // 4_000)))})
        context = context_in(folder)
        yield measure("flickr", n_rows, every, lambda: listed(source, context))
        yield measure("flickr, of what is kept", n_rows, every, lambda: listed(source, context))


def serve_flickr(n_photos: int, every: int, ports: Any) -> None:
    """Answer each search with 4,000 photos of its own; those that are not wanted have another licence."""
    from tests.small_webs import PictureHandler, serving

    class Handler(PictureHandler):
        def do_GET(self) -> None:  # noqa: N802 -- http.server's name
            asked = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            answer: dict[str, Any] = {"stat": "ok"}
            if "text" in asked:
                first = 4_000 * int(asked["text"]) + 500 * (int(asked["page"]) - 1)
                same = {"owner": "1@N00", "ownername": "Ann", "title": "A ruck"}
                photos = [
                    {"id": n, "url_l": f"https://live.example/{n}.jpg", "license": "0" if n % every else "4", **same}
                    for n in range(first, first + 500)
                ]
                answer["photos"] = {"pages": 8, "photo": photos}
            else:
                url = "https://creativecommons.org/licenses/by/2.0/"
                answer["licenses"] = {"license": [{"id": 0, "url": ""}, {"id": 4, "url": url}]}
            self.send_body(200, json.dumps(answer).encode())

    with serving(Handler) as port:
        ports.put(port)
        threading.Event().wait()


@contextmanager
def served(serve: Callable[[int, int, Any], None], n_rows: int, every: int) -> Iterator[str]:
    """Serve from a process of its own."""
    ports: Any = multiprocessing.get_context("spawn").Queue()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(n_rows, every, ports), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{ports.get(timeout=60)}"
    finally:
        server.terminate()
        server.join()


def serve_commons(n_files: int, every: int, ports: Any) -> None:
    """Answer as a category of so many files; pages are made when they are asked for."""
    from tests.small_webs import serving
    from tests.sources.small_commons import Commons, handler_of

    class Long(Commons):
        def _answer(self, asked: dict[str, str]) -> dict[str, Any]:
            start = int(asked.get("gcmcontinue", "0").rpartition("|")[2])
            pages = [self.page("Rugby", number) for number in range(start, min(start + 50, n_files))]
            for number, page in enumerate(pages, start):
                page["imageinfo"][0]["mime"] = "image/svg+xml" if number % every else "image/jpeg"
            rest = {"continue": {"gcmcontinue": f"file|4d|{start + 50}", "continue": "gcmcontinue||"}}
            return {"batchcomplete": True, "query": {"pages": pages}, **(rest if start + 50 < n_files else {})}

    site = Long()
    with serving(handler_of(site)) as port:
        site.url = f"http://127.0.0.1:{port}"
        ports.put(port)
        threading.Event().wait()


SOURCES: dict[str, Callable[[int, int, Path], Iterator[Figures]]] = {
    "captions": captions,
    "flickr": flickr,
    "huggingface": huggingface,
    "imagenet": imagenet,
    "inaturalist": inaturalist,
    "local-files": local_files,
    "open-images": open_images,
    "url-list": url_list,
    "wikimedia": wikimedia,
}

OWN_MB, MORE_OWN, LESS_SURE_MB = 150, 0.15, 5
TIMES_AGAIN = 2
"""Runs more if memory seems to grow: by chance, allocators hold back 10 MB more; what grows does each time."""
MORE_MB, AND_A_HALF = 110, 1.5
MOST_BYTES_A_ROW = 700
SLOWEST = 500
"""Limits: memory of the process's own, how much more of it than for three tenths of the rows, and what that is sure to;
memory with what is mapped of files: what is listed once, as the source keeps it while the listing is written of it, and
half of it for columns that were changed on the way; bytes of a row that is listed, as waste there would raise that
limit; rows a second."""


def in_process(source: str, n_rows: int, every: int) -> list[Figures]:
    """Measure a source in a new process."""
    command = [sys.executable, __file__, source, "--rows", str(n_rows), "--every", str(every)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return [Figures(**json.loads(line)) for line in done.stdout.splitlines()]


def judge(one: Figures) -> list[Verdict]:
    """Compare with the limits: what is mapped of files may grow with what is listed, and nothing else."""
    name = f"{one.case}, {'all' if one.every == EACH else f'1 in {one.every}'} of {one.n_rows:,} rows"
    return [
        at_least(f"{name}: speed", one.n_rows / one.seconds, SLOWEST, "rows/s"),
        at_most(f"{name}: own memory", one.own / 1e6, OWN_MB, "MB more"),
        at_most(f"{name}: a row", one.listed_bytes / max(one.n_listed, 1), MOST_BYTES_A_ROW, "bytes"),
        at_most(f"{name}: memory", one.more / 1e6, MORE_MB + AND_A_HALF * one.listed_bytes / 1e6, "MB more"),
    ]


def judge_growth(few: Figures, many: Figures) -> list[Verdict]:
    """Compare the memory that two numbers of rows take, all wanted."""
    name = f"{many.case}: own memory of {many.n_rows:,} rows, against {few.n_rows:,}"
    return [at_most(name, many.own / 1e6, (1 + MORE_OWN) * few.own / 1e6 + LESS_SURE_MB, "MB")]


def show(one: Figures) -> None:
    """Print a line of a table in Markdown."""
    wanted, rate = "all" if one.every == EACH else f"1 in {one.every}", one.n_rows / one.seconds
    a_row = f"{one.listed_bytes / max(one.n_listed, 1):,.0f} B"
    memory = f"{one.own / 1e6:,.0f} MB | {one.more / 1e6:,.0f} MB"
    counts = f"{one.n_rows:,} | {one.n_listed:,} | {a_row} | {rate:,.0f}"
    print(f"| {one.case} | {wanted} | {counts} | {memory} |", flush=True)


def main() -> int:
    """Measure the sources that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="*", choices=[*SOURCES, []], help="which; all if none is named")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--every", type=int, help="measure here: one row in so many is wanted; print JSON")
    options = parser.parse_args()
    if options.every:
        [name] = options.sources
        with tempfile.TemporaryDirectory() as folder:
            for one in SOURCES[name](options.rows, options.every, Path(folder)):
                print(json.dumps(asdict(one)), flush=True)
        return 0
    print("| source | wanted | rows | listed | a row | rows a second | own memory | with mapped files |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    verdicts = []
    for name in options.sources or SOURCES:
        parts = [(options.rows * 3 // 10, EACH), (options.rows, EACH), (options.rows, FEW)]
        few, many, rare = (in_process(name, n_rows, every) for n_rows, every in parts)
        for _ in range(TIMES_AGAIN):
            if all(verdict.is_met for pair in zip(few, many, strict=True) for verdict in judge_growth(*pair)):
                break
            again = in_process(name, options.rows, EACH)
            many = [min(pair, key=lambda one: one.own) for pair in zip(many, again, strict=True)]
        for one in (*few, *many, *rare):
            show(one)
            verdicts += judge(one)
        verdicts += [verdict for pair in zip(few, many, strict=True) for verdict in judge_growth(*pair)]
    print()
    return conclude(verdicts)


if __name__ == "__main__":
    sys.exit(main())
