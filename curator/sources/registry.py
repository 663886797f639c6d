"""Every source, in a visible tuple; a new one is one file and one entry here.

>>> list(source_kinds())[:5]
['imagenet', 'open-images', 'url-list', 'folder', 'coco']
>>> open_images, folder, wikimedia = (source_kinds()[kind] for kind in ("open-images", "folder", "wikimedia"))
>>> host_limits([open_images(classes={"rugby": ("Rugby",)}), folder(path="photos")], per_host=8)
{'open-images-dataset.s3.amazonaws.com': 64}
>>> host_limits([wikimedia(search={"rugby": ("rugby",)})], per_host=8)
{'upload.wikimedia.org': 2}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import NamedTuple

import pyarrow as pa

from curator.addresses import parse_addresses
from curator.sources.base import Source


class Entry(NamedTuple):
    """What ``kind`` in a recipe says, and the class of the other keys: its module in this folder, and its name."""

    kind: str
    module: str
    name: str

    def load(self) -> type[Source]:
        """Import the class: only a source that a recipe names is paid for at the start."""
        found: type[Source] = getattr(import_module(self.module), self.name)
        return found


SOURCES = (
    Entry("imagenet", "curator.sources.imagenet.imagenet_source", "Imagenet"),
    Entry("open-images", "curator.sources.open_images.open_images_source", "OpenImages"),
    Entry("url-list", "curator.sources.url_list.url_list_source", "UrlList"),
    Entry("folder", "curator.sources.folder.folder_source", "Folder"),
    Entry("coco", "curator.sources.coco.coco_source", "Coco"),
    Entry("wikimedia", "curator.sources.wikimedia.wikimedia_source", "Wikimedia"),
    Entry("captions", "curator.sources.captions.captions_source", "Captions"),
    Entry("huggingface", "curator.sources.huggingface.huggingface_source", "HuggingFace"),
    Entry("inaturalist", "curator.sources.inaturalist.inaturalist_source", "INaturalist"),
    Entry("flickr", "curator.sources.flickr.flickr_source", "Flickr"),
    Entry("video", "curator.sources.video.video_source", "Video"),
)

BULK_REQUESTS = 64
"""Requests in flight at a host that is built to serve whole data sets."""


class _Kinds(Mapping[str, type[Source]]):
    """The classes by their kind, each imported when it is looked up."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = {entry.kind: entry for entry in entries}

    def __getitem__(self, kind: str) -> type[Source]:
        return self._entries[kind].load()

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def source_kinds() -> Mapping[str, type[Source]]:
    """Map what ``kind`` in a recipe may say to the class of the other keys."""
    return _Kinds(SOURCES)


def host_limits(sources: Iterable[Source], per_host: int) -> dict[str, int]:
    """Map hosts (with the port if one is given) that sources know to the requests that may be in flight there.

    Args:
        sources: those of a recipe; what is built to serve whole data sets may get more at once than others.
        per_host: what the recipe allows others, which a server that wants fewer never gets more than.
    """
    limits: dict[str, int] = {}
    for source in sources:
        limits |= {source.bulk_address(): BULK_REQUESTS}
        limits |= {address: min(n, per_host) for address, n in source.gentle_hosts().items()}
    hosts = parse_addresses(pa.array(limits, pa.string())).host.to_pylist()
    return {host: n for host, n in zip(hosts, limits.values(), strict=True) if host}
