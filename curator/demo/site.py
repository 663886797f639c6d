r"""Turn a world into all that its server answers (pictures, bucket, ImageNet lists, Open Images tables) and its recipe.

The lists come in their three forms, the tables under the official file names and with the official columns.

>>> from curator.demo.listing import HOSTS
>>> world = World("one", {"rugby": LabelNames("n00470966", "/m/06bqd", "Rugby")}, (), {})
>>> site = site_answers(world, {host: f"http://{host}.example" for host in HOSTS})
>>> site[Address("main", "/api/imagenet.synset.geturls?wnid=n00470966")].body
b'\r\n'
>>> print(recipe_text(world, "http://127.0.0.1:8431").splitlines()[1])
name = "one"
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence

from curator.demo.alterations import HTML_PAGE
from curator.demo.listing import Address, Answer, LabelNames, Listing, Origins, World
from curator.manifests.toml_settings import toml_key

RETIRED_LIST_PATH = "/retired/api/imagenet.synset.geturls?wnid={wnid}"
"""Answers with a web page and status 200, as the real endpoint did when it died."""
LIST_PATH = "/api/imagenet.synset.geturls?wnid={wnid}"
MAPPING_PATH = "/api/imagenet.synset.geturls.getmapping?wnid={wnid}"
_GARBAGE = b"this line is no URL \xe9\xe8\r\n"

LABEL_COLUMNS = ("ImageID", "Source", "LabelName", "Confidence")
BOX_COLUMNS = (
    *LABEL_COLUMNS,
    *("XMin", "XMax", "YMin", "YMax", "IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside"),
)
IMAGE_COLUMNS = (
    *("ImageID", "Subset", "OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL", "Author", "Title"),
    *("OriginalSize", "OriginalMD5", "Thumbnail300KURL", "Rotation"),
)
OTHER_CLASSES = (("/m/01g317", "Person"), ("/m/08t9c_", "Grass"), ("/m/0bt9lr", "Dog"), ("/m/07j7r", "Tree"))
"""Classes that no recipe of this world names: their rows lie between those of classes that it does."""

_SHORT = {"train": "train", "validation": "val", "test": "test"}
_BOX_FILES = {
    "train": "v6/oidv6-train-annotations-bbox.csv",
    "validation": "v5/validation-annotations-bbox.csv",
    "test": "v5/test-annotations-bbox.csv",
}


def site_answers(world: World, origins: Origins) -> dict[Address, Answer]:
    """Return every address that is served, with its answer; lists and tables spell URLs with ``origins``."""
    site = dict(world.answers)
    for label, names in world.labels.items():
        rows = [row for row in world.listings if row.label == label and row.source == "imagenet"]
        urls = [row.url(origins) for row in rows]
        mapping = [f"{row.source_id} {url}" for row, url in zip(rows, urls, strict=True)]
        site[_main(LIST_PATH, names)] = _text(_lines(urls))
        site[_main(MAPPING_PATH, names)] = _text(_lines(mapping) + (_GARBAGE if mapping else b""))
        site[_main(RETIRED_LIST_PATH, names)] = Answer(HTML_PAGE, content_type="text/html")
    whole = sorted(f"{row.source_id}\t{row.url(origins)}\n" for row in world.listings if row.source == "imagenet")
    site[Address("main", "/fall11_urls.txt")] = _text("".join(whole).encode())
    for path, table in _open_images_tables(world, origins).items():
        site[Address("main", f"/openimages/{path}")] = Answer(table, content_type="text/csv")
    return site


def _main(path: str, names: LabelNames) -> Address:
    return Address("main", path.format(wnid=names.wnid))


def _text(body: bytes) -> Answer:
    return Answer(body, content_type="text/plain")


def _lines(lines: list[str]) -> bytes:
    """Join with CRLF, ending with the blank line that the real lists have."""
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def _open_images_tables(world: World, origins: Origins) -> dict[str, bytes]:
    """Write a world's Open Images tables, with the official names and columns, by path under ``openimages/``."""
    rows = sorted((row for row in world.listings if row.source == "open-images"), key=lambda row: row.source_id)
    tables = {
        "v7/oidv7-class-descriptions.csv": _class_descriptions(world.labels),
        "v5/class-descriptions-boxable.csv": _class_descriptions(world.labels, header=False),
        "2018_04/image_ids_and_rotation.csv": _images(world, rows, origins),
    }
    boxable = [row for row in rows if row.subset == "train" and row.in_bucket]
    tables["2018_04/train/train-images-boxable-with-rotation.csv"] = _images(world, boxable, origins)
    for subset, short in _SHORT.items():
        here = [row for row in rows if row.subset == subset]
        human, machine = _label_rows(world, here, "verification"), _label_rows(world, here, "machine")
        tables[f"v7/oidv7-{short}-annotations-human-imagelabels.csv"] = _table(LABEL_COLUMNS, human)
        tables[f"v7/oidv7-{short}-annotations-machine-imagelabels.csv"] = _table(LABEL_COLUMNS, machine)
        tables[_BOX_FILES[subset]] = _table(BOX_COLUMNS, _box_rows(world, here))
        if subset != "train":
            tables[f"2018_04/{subset}/{subset}-images-with-rotation.csv"] = _images(world, here, origins)
    return tables


def _class_descriptions(labels: Mapping[str, LabelNames], *, header: bool = True) -> bytes:
    """Write MID and display name of every class, with V7's header or without."""
    rows = [*((names.mid, names.display_name) for names in labels.values()), *OTHER_CLASSES]
    return _table(("LabelName", "DisplayName") if header else None, sorted(rows))


def _table(columns: Sequence[str] | None, rows: Iterable[Sequence[str]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([columns] if columns else [])
    writer.writerows(rows)
    return stream.getvalue().encode()


def _label_rows(world: World, rows: Sequence[Listing], source: str) -> list[tuple[str, ...]]:
    """Return label rows; a person's are 1 or 0, a machine's shares; between them, those of other classes."""
    present, absent = ("0.9", "0.1") if source == "machine" else ("1", "0")
    found: list[tuple[str, ...]] = []
    for index, row in enumerate(rows):
        found.append((row.source_id, source, world.labels[row.label].mid, present if row.positive else absent))
        other = OTHER_CLASSES[index % len(OTHER_CLASSES)][0]
        found.append((row.source_id, source, other, absent if index % 3 else present))
    return found


def _box_rows(world: World, rows: Sequence[Listing]) -> list[tuple[str, ...]]:
    flags = ("0", "0", "0", "0", "0")
    return [
        (row.source_id, "xclick", world.labels[row.label].mid, "1", "0.25", "0.75", "0.3", "0.8", *flags)
        for row in rows
        if row.positive and row.in_bucket
    ]


def _images(world: World, rows: Sequence[Listing], origins: Origins) -> bytes:
    images: list[tuple[str, ...]] = []
    for row in {row.source_id: row for row in rows}.values():
        body = world.answers[row.address].content()
        md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        person = f"https://photos.example/people/{row.author}" if row.author else ""
        page = f"{person}/{row.source_id}" if person else ""
        where = (row.source_id, row.subset, row.address.url(origins), page)
        who = (person, row.author, f"Photo {row.source_id[:4]}")
        size = (str(len(body)), md5, "", "0.0")
        images.append((*where, "https://creativecommons.org/licenses/by/2.0/", *who, *size))
    return _table(IMAGE_COLUMNS, images)


def recipe_text(world: World, base_url: str, proxy: str = "") -> str:
    """Write the recipe for a world that is being served: the real sources, at local addresses.

    Args:
        world: what is served.
        base_url: where, such as :attr:`curator.demo.server.Served.base_url`.
        proxy: the proxy that reaches ``base_url``, if it is served as one.
    """
    return f"""\
# Served by `curator demo`: pictures with planted trouble, no Internet needed.
name = {json.dumps(world.name)}
labels = {json.dumps(list(world.labels), ensure_ascii=False)}

{_sources(world, base_url)}
[fetch]
target = {max(1, len(world.listings))}  # more than there is, so that everything planted is fetched
allow_private_hosts = true  # this machine
{f"proxy = {json.dumps(proxy)}" + chr(10) if proxy else ""}
[balance]
per_class = {json.dumps(world.per_class)}

[split]
ratio = 0.8
"""


def _sources(world: World, base_url: str) -> str:
    synsets = {label: [names.wnid] for label, names in world.labels.items()}
    classes = {label: [names.mid] for label, names in world.labels.items()}
    return f"""\
[[sources]]
kind = "imagenet"
synsets = {_inline(synsets)}
urls = [  # the first answers with a web page, as the real endpoint does since it was retired
  {json.dumps(base_url + RETIRED_LIST_PATH)},
  {json.dumps(base_url + MAPPING_PATH)},
]

[[sources]]
kind = "open-images"
classes = {_inline(classes)}
metadata = {json.dumps(base_url + "/openimages")}
images = {json.dumps(base_url + "/bucket")}
"""


def _inline(table: dict[str, list[str]]) -> str:
    """Write an inline table; ids hold nothing that TOML spells differently from JSON."""
    return "{ " + ", ".join(f"{toml_key(key)} = {json.dumps(value)}" for key, value in table.items()) + " }"
