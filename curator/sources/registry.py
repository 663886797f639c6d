"""Who lists images: one file a source, registered in a visible tuple.

>>> [source.kind for source in SOURCES]
['imagenet', 'open-images', 'url-list', 'folder']
>>> bulk_hosts([OpenImagesSettings(classes={"rugby": ("Rugby",)})])
{'open-images-dataset.s3.amazonaws.com': 64}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from curator.addresses import parse_addresses
from curator.sources.base import ListingContext, PlannedRead, Source
from curator.sources.folder import Folder, FolderSettings
from curator.sources.imagenet.source import Imagenet, ImagenetSettings
from curator.sources.open_images.source import OpenImages, OpenImagesSettings
from curator.sources.url_list.source import UrlList, UrlListSettings

__all__ = [
    "SETTINGS",
    "SOURCES",
    "Folder",
    "FolderSettings",
    "Imagenet",
    "ImagenetSettings",
    "ListingContext",
    "OpenImages",
    "OpenImagesSettings",
    "PlannedRead",
    "Source",
    "UrlList",
    "UrlListSettings",
    "bulk_hosts",
    "kind_of",
]

SOURCES: tuple[Source, ...] = (Imagenet(), OpenImages(), UrlList(), Folder())
"""Every source; a new one is one file and one entry here."""

BULK_REQUESTS = 64
"""Requests in flight at a host that is built to serve whole data sets."""

SETTINGS: Mapping[str, type[Any]] = {source.kind: source.Settings for source in SOURCES}
"""Source kind to the class of its recipe keys."""


def bulk_hosts(sources: Iterable[Any]) -> dict[str, int]:
    """Name the hosts (with the port where one is given) that are built to serve whole data sets.

    Args:
        sources: the settings of a recipe's sources.

    Returns:
        Host to how many requests it may be asked at once, whatever ``per_host`` allows others.
    """
    images = [settings.images for settings in sources if isinstance(settings, OpenImagesSettings)]
    hosts = parse_addresses(pa.array(images, pa.string())).host.to_pylist()
    return {host: BULK_REQUESTS for host in hosts if host}


def kind_of(settings: Any) -> str:
    """Name the source that these settings are for, as a recipe does.

    >>> kind_of(FolderSettings(path="photos"))
    'folder'
    """
    kind: str = settings.kind
    return kind
