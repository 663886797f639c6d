"""Measure what listing a million rows takes with each source: rows a second, and memory while it reads and in the end.

A server of this machine, in a process of its own, answers as the real one does; tables are written here.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT)]

from curator.events import Event, Warned  # noqa: E402
from curator.manifests.labels import LabelFinder  # noqa: E402
from curator.manifests.settings import FetchSettings, ListSettings  # noqa: E402
from curator.sources.base import ListingContext, Source  # noqa: E402
from curator.sources.budget import within  # noqa: E402
from curator.sources.captions.captions_source import Captions  # noqa: E402
from curator.sources.flickr import search_pages  # noqa: E402
from curator.sources.flickr.flickr_source import Flickr  # noqa: E402
from curator.sources.huggingface.huggingface_source import HuggingFace  # noqa: E402
from curator.sources.inaturalist.inaturalist_source import INaturalist  # noqa: E402
from curator.sources.wikimedia.file_lists import FileLists, Query  # noqa: E402
from curator.sources.wikimedia.wikimedia_source import Wikimedia  # noqa: E402
from tests.peak_memory import forget_peak, peak_bytes  # noqa: E402

LABELS = ("rugby", "soccer")


def measure(what: str, n_rows: int, work: Callable[[], int]) -> None:
    """Do the work, and print what it took; it returns how many rows it listed."""
    forget_peak()
    before, began = peak_bytes(), time.monotonic()
    n_listed = work()
    seconds, more = time.monotonic() - began, peak_bytes() - before
    rate = n_rows / seconds
    print(f"{what:42} {n_rows:>9,} rows {rate:>9,.0f} a second, {more / 1e6:>6,.0f} MB more; {n_listed:,} listed")


def context_in(folder: Path) -> ListingContext:
    """Return what a source may use; what it says of trouble is printed."""

    def tell(event: Event) -> None:
        if isinstance(event, Warned):
            print(f"  {event.message}")

    fetch = FetchSettings(allow_private_hosts=True, contact="bench@example.org")
    return ListingContext(
        LABELS, folder / "sources", folder, fetch, tell, label_names=LabelFinder(dict.fromkeys(LABELS, ()))
    )


def listed(source: Source, context: ListingContext) -> int:
    with within(ListSettings()):
        return len(source.list_images(0, LABELS, context))


def wikimedia(n_rows: int, folder: Path) -> None:
    """A category of so many files, 50 an answer: read part by part, then as a listing of what is kept."""
    with served(serve_commons, n_rows) as url:
        context, api = context_in(folder), f"{url}/w/api.php"

        def read() -> int:
            with FileLists(api, "wikimedia", context) as lists:
                return sum(part.rows.num_rows for part in lists.parts(Query("category", "Rugby", 960)))

        measure("wikimedia: read", n_rows, read)
        source = Wikimedia(categories={"rugby": ("Rugby",)}, most=n_rows, api=api)
        measure("wikimedia: listed of what is kept", n_rows, lambda: listed(source, context))


def captions(n_rows: int, folder: Path) -> None:
    """A TSV as CC12M is and Parquet as of LAION: one row in a hundred has a word, one in twenty is not ASCII."""
    words = {"rugby": ("rugby", "scrum*"), "soccer": ("soccer", "football match")}
    numbers = np.arange(n_rows)
    texts = np.where(
        numbers % 100 == 0, "players at a rugby match in the rain", "a photograph of something else entirely"
    )
    texts = np.where(numbers % 20 == 1, "ein Foto von etwas ganz anderem in Köln", texts)
    urls = np.char.add("http://example.org/pictures/of/things/", np.char.add(numbers.astype(str), ".jpg"))
    table = pa.table({"URL": urls, "TEXT": texts, "similarity": np.full(n_rows, 0.3)})
    pq.write_table(table, folder / "laion.parquet")
    with (folder / "cc12m.tsv").open("w", encoding="utf-8") as file:
        file.writelines(f"{url}\t{text}\n" for url, text in zip(urls, texts, strict=True))
    del table, texts, urls, numbers
    for name in ("cc12m.tsv", "laion.parquet"):
        source = Captions(path=name, words=words)
        measure(f"captions: {name}", n_rows, lambda source=source: listed(source, context_in(folder)))


def huggingface(n_rows: int, folder: Path) -> None:
    """Ten Parquet files of addresses with numbers of classes, all listed."""
    (folder / "train").mkdir()
    for first in range(0, n_rows, n_rows // 10):
        numbers = np.arange(first, first + n_rows // 10)
        urls = np.char.add("http://example.org/pictures/of/things/", np.char.add(numbers.astype(str), ".jpg"))
        pq.write_table(pa.table({"image_url": urls, "label": numbers % 2}), folder / "train" / f"{first:08}.parquet")
    info = "".join(f"          '{number}': {label}\n" for number, label in enumerate(LABELS))
    head = "dataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n"
    (folder / "README.md").write_text(f"---\n{head}{info}---\n")
    measure("huggingface: all listed", n_rows, lambda: listed(HuggingFace(path="."), context_in(folder)))


def inaturalist(n_rows: int, folder: Path) -> None:
    """So many observations, two in a hundred of the taxa, each with a photo."""
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
        taxon = {0: 1, 1: 2}.get(number % 100, 3)
        files["observations"].write(f"{uuid}\t{number % 999}\t1.25\t2.5\t10\t{taxon}\tresearch\t2020-01-02\t0.9\n")
        files["photos"].write(f"{uuid}\t{number}\t{uuid}\t{number % 999}\tjpg\tCC-BY\t2048\t1536\t0\n")
    files["observers"].writelines(f"{number}\tlogin{number}\tName {number}\n" for number in range(999))
    for file in files.values():
        file.close()
    source = INaturalist(taxa={"rugby": ("Rugbya",), "soccer": ("Soccera",)}, path=".")
    measure("inaturalist: observations and their photos", n_rows, lambda: listed(source, context_in(folder)))


def flickr(n_rows: int, folder: Path) -> None:
    """Searches of 4,000 photos each; what Flickr's pace costs, a second for 500 photos, is left out."""
    with served(serve_flickr, n_rows) as url:
        search_pages.API, search_pages.PAUSE_S = f"{url}/rest/", 0.0
        os.environ[search_pages.KEY] = "key"
        texts = tuple(map(str, range(n_rows // 4_000)))
        source = Flickr(search={"rugby": texts})
        measure("flickr: all listed", n_rows, lambda: listed(source, context_in(folder)))


def serve_flickr(n_photos: int, ports: Any) -> None:
    """Answer each search with 4,000 photos of its own."""
    from tests.small_webs import PictureHandler, serving

    class Handler(PictureHandler):
        def do_GET(self) -> None:  # noqa: N802 -- http.server's name
            asked = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            answer: dict[str, Any] = {"stat": "ok"}
            if "text" in asked:
                first = 4_000 * int(asked["text"]) + 500 * (int(asked["page"]) - 1)
                same = {"owner": "1@N00", "ownername": "Ann", "title": "A ruck", "license": "4"}
                photos = [
                    {"id": n, "url_l": f"https://live.example/{n}.jpg", **same} for n in range(first, first + 500)
                ]
                answer["photos"] = {"pages": 8, "photo": photos}
            else:
                url = "https://creativecommons.org/licenses/by/2.0/"
                answer["licenses"] = {"license": [{"id": 4, "url": url}]}
            self.send_body(200, json.dumps(answer).encode())

    with serving(Handler) as port:
        ports.put(port)
        threading.Event().wait()


@contextmanager
def served(serve: Callable[[int, Any], None], n_rows: int) -> Iterator[str]:
    """Serve from a process of its own."""
    ports: Any = multiprocessing.get_context("spawn").Queue()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(n_rows, ports), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{ports.get(timeout=60)}"
    finally:
        server.terminate()
        server.join()


def serve_commons(n_files: int, ports: Any) -> None:
    """Answer as a category of so many files; pages are made when they are asked for."""
    from tests.small_webs import serving
    from tests.sources.small_commons import Commons, handler_of

    class Long(Commons):
        def _answer(self, asked: dict[str, str]) -> dict[str, Any]:
            start = int(asked.get("gcmcontinue", "0").rpartition("|")[2])
            pages = [self.page("Rugby", number) for number in range(start, min(start + 50, n_files))]
            rest = {"continue": {"gcmcontinue": f"file|4d|{start + 50}", "continue": "gcmcontinue||"}}
            return {"batchcomplete": True, "query": {"pages": pages}, **(rest if start + 50 < n_files else {})}

    site = Long()
    with serving(handler_of(site)) as port:
        site.url = f"http://127.0.0.1:{port}"
        ports.put(port)
        threading.Event().wait()


SOURCES = {
    "captions": captions,
    "flickr": flickr,
    "huggingface": huggingface,
    "inaturalist": inaturalist,
    "wikimedia": wikimedia,
}


def main() -> None:
    """Measure the sources that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="*", choices=[*SOURCES, []], help="which; all if none is named")
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    for name in options.sources or SOURCES:
        with tempfile.TemporaryDirectory() as folder:
            SOURCES[name](options.rows, Path(folder))


if __name__ == "__main__":
    main()
