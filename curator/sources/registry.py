"""Every source, in a visible tuple; a new one is one file and one entry here.

>>> list(source_kinds())[:5]
['imagenet', 'open-images', 'url-list', 'folder', 'coco']
>>> host_limits([OpenImages(classes={"rugby": ("Rugby",)}), Folder(path="photos")], per_host=8)
{'open-images-dataset.s3.amazonaws.com': 64}
>>> host_limits([Wikimedia(search={"rugby": ("rugby",)})], per_host=8)
{'upload.wikimedia.org': 2}
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from curator.addresses import parse_addresses
from curator.sources.base import Source
from curator.sources.captions.captions_source import Captions
from curator.sources.coco.coco_source import Coco
from curator.sources.flickr.flickr_source import Flickr
from curator.sources.folder.folder_source import Folder
from curator.sources.huggingface.huggingface_source import HuggingFace
from curator.sources.imagenet.imagenet_source import Imagenet
from curator.sources.inaturalist.inaturalist_source import INaturalist
from curator.sources.open_images.open_images_source import OpenImages
from curator.sources.url_list.url_list_source import UrlList
from curator.sources.video.video_source import Video
from curator.sources.wikimedia.wikimedia_source import Wikimedia

SOURCES: tuple[type[Source], ...] = (
    Imagenet,
    OpenImages,
    UrlList,
    Folder,
    Coco,
    Wikimedia,
    Captions,
    HuggingFace,
    INaturalist,
    Flickr,
    Video,
)

BULK_REQUESTS = 64
"""Requests in flight at a host that is built to serve whole data sets."""


def source_kinds() -> dict[str, type[Source]]:
    """Map what ``kind`` in a recipe may say to the class of the other keys."""
    return {source.kind: source for source in SOURCES}


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
