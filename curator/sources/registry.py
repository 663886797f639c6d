"""Every source, in a visible tuple; a new one is one file and one entry here.

>>> list(source_kinds())
['imagenet', 'open-images', 'url-list', 'folder', 'coco']
>>> bulk_hosts([OpenImages(classes={"rugby": ("Rugby",)}), Folder(path="photos")])
{'open-images-dataset.s3.amazonaws.com': 64}
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from curator.addresses import parse_addresses
from curator.sources.base import Source
from curator.sources.coco.coco_source import Coco
from curator.sources.folder.folder_source import Folder
from curator.sources.imagenet.imagenet_source import Imagenet
from curator.sources.open_images.open_images_source import OpenImages
from curator.sources.url_list.url_list_source import UrlList

SOURCES: tuple[type[Source], ...] = (Imagenet, OpenImages, UrlList, Folder, Coco)

BULK_REQUESTS = 64
"""Requests in flight at a host that is built to serve whole data sets."""


def source_kinds() -> dict[str, type[Source]]:
    """Map what ``kind`` in a recipe may say to the class of the other keys."""
    return {source.kind: source for source in SOURCES}


def bulk_hosts(sources: Iterable[Source]) -> dict[str, int]:
    """Map hosts (with the port if one is given) that are built to serve whole data sets to their requests in flight.

    Args:
        sources: those of a recipe; whatever its ``per_host`` allows others, these hosts may get more at once.
    """
    addresses = [source.bulk_address() for source in sources]
    hosts = parse_addresses(pa.array(addresses, pa.string())).host.to_pylist()
    return {host: BULK_REQUESTS for host in hosts if host}
