r"""Turn a world into all that its server answers: pictures, bucket, ImageNet lists in their three forms, tables.

>>> from curator.demo.listing import HOSTS
>>> world = World("one", {"rugby": LabelNames("n00470966", "/m/06bqd", "Rugby")}, (), {})
>>> site = site_answers(world, {host: f"http://{host}.example" for host in HOSTS})
>>> site[Address("main", "/api/imagenet.synset.geturls?wnid=n00470966")].body
b'\r\n'
"""

from __future__ import annotations

from curator.demo.alterations import HTML_PAGE
from curator.demo.listing import Address, Answer, LabelNames, Listing, Origins, World
from curator.demo.open_images_tables import write_tables

RETIRED_LIST_PATH = "/retired/api/imagenet.synset.geturls?wnid={wnid}"
"""Answers with a web page and status 200, as the real endpoint did when it died."""
LIST_PATH = "/api/imagenet.synset.geturls?wnid={wnid}"
MAPPING_PATH = "/api/imagenet.synset.geturls.getmapping?wnid={wnid}"
WHOLE_LIST_PATH = "/fall11_urls.txt"
_GARBAGE = b"this line is no URL \xe9\xe8\r\n"


def site_answers(world: World, origins: Origins) -> dict[Address, Answer]:
    """Give every address that is served, with its answer; lists and tables spell URLs with ``origins``."""
    site = dict(world.answers)
    for label, names in world.labels.items():
        rows = [row for row in world.listings if row.label == label and row.source == "imagenet"]
        urls = [row.url(origins) for row in rows]
        mapping = [f"{row.source_id} {url}" for row, url in zip(rows, urls, strict=True)]
        site[_main(LIST_PATH, names)] = _text(_lines(urls))
        site[_main(MAPPING_PATH, names)] = _text(_lines(mapping) + (_GARBAGE if mapping else b""))
        site[_main(RETIRED_LIST_PATH, names)] = Answer(HTML_PAGE, content_type="text/html")
    site[Address("main", WHOLE_LIST_PATH)] = _text(_whole_list(world.listings, origins))
    for path, table in write_tables(world, origins).items():
        site[Address("main", f"/openimages/{path}")] = Answer(table, content_type="text/csv")
    return site


def _main(path: str, names: LabelNames) -> Address:
    return Address("main", path.format(wnid=names.wnid))


def _text(body: bytes) -> Answer:
    return Answer(body, content_type="text/plain")


def _lines(lines: list[str]) -> bytes:
    """Join with CRLF, ending with the blank line that the real lists have."""
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def _whole_list(listings: tuple[Listing, ...], origins: Origins) -> bytes:
    rows = sorted(f"{row.source_id}\t{row.url(origins)}\n" for row in listings if row.source == "imagenet")
    return "".join(rows).encode()
