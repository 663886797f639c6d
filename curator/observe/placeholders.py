"""Pictures that sites serve in place of a photograph that is gone, known by the MD5 of their bytes.

>>> placeholder_name(b"a photograph") is None
True
"""

from __future__ import annotations

import hashlib

_MAX_BYTES = 16_384
# Placeholders are small drawings; most photographs are larger, and are not hashed a second time.

_NAMES = {
    "880a7a58e05d3e83797f27573bb6d35c": "Flickr's 'photo unavailable' PNG",
    "e60b98765d26e34bfbb797c1a5f378f2": "Flickr's 'photo unavailable' GIF",
    "596246739a83bb45e30e13437e0810d9": "a 'photo unavailable' picture of public ImageNet lists",
    "969e595182a947c7fdaaef4a34401760": "a 'photo unavailable' picture of public ImageNet lists",
    "af5db09e39ca35d8930b4e59962e09e5": "a 'photo unavailable' picture of public ImageNet lists",
}


def placeholder_name(data: bytes) -> str | None:
    """Name the known placeholder that these bytes are, or give None."""
    if len(data) > _MAX_BYTES:
        return None
    return _NAMES.get(hashlib.md5(data, usedforsecurity=False).hexdigest())
