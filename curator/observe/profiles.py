"""Colours as their file means them, in sRGB: ICC profiles applied, and ignored where they are broken or do not fit.

Relative colorimetric with black point compensation (ISO 18619), as browsers do: no colour that sRGB has is moved. A
profile that moves none by more than :data:`LEAST_SHIFT` is one of the many variants of sRGB, and costs nothing.

>>> from PIL import Image, ImageCms
>>> srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
>>> find_transform(srgb, "RGB") is None
True
>>> find_transform(srgb[:200], "RGB") is None, find_transform(b"", "L") is None
(True, True)
"""

from __future__ import annotations

import io
import struct
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

LEAST_SHIFT = 2
"""Levels of 255: a profile whose colours all stay within it of sRGB's is not applied."""

MOST_PROFILE_BYTES = 4 << 20
"""Longer profiles are ignored: the longest in common use, of inks, take 3 MB."""

_CACHED = 16
_SPACES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK", b"Lab ": "LAB"}
_CLASSES = (b"mntr", b"scnr", b"prtr", b"spac")
_MOST_TAGS = 100
_FLOAT_TAGS = (b"D2B0", b"D2B1", b"D2B2", b"D2B3")  # of any length and depth; every profile works without them
_STEPS = 9


def find_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return what brings pixels of a mode to sRGB, made once a profile; None if nothing has to, or nothing can.

    Args:
        profile: an ICC profile, as its file holds it (ICC.1:2022, https://www.color.org/icc_specs2.xalter).
        mode: ``RGB``, ``L``, ``CMYK`` or ``LAB``: that of the pixels. A profile of another colour space is ignored.
    """
    if len(profile) > MOST_PROFILE_BYTES or len(profile) < 132 or _SPACES.get(profile[16:20]) != mode:
        return None
    return _make_transform(bytes(profile), mode)


@lru_cache(maxsize=_CACHED)
def _make_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    whole = _examine(profile)
    if whole is None:
        return None
    try:
        transform = ImageCms.ImageCmsTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(whole)),
            _srgb(),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return transform if _shift(transform, mode) > LEAST_SHIFT else None
    except Exception:  # lcms refuses in many ways, and a broken profile does not make a picture worse
        return None


@lru_cache(maxsize=1)
def lab_transform() -> ImageCms.ImageCmsTransform:
    """Return what brings CIE Lab (D50), the pixels of a Lab TIFF, to sRGB."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    return ImageCms.ImageCmsTransform(lab, _srgb(), "LAB", "RGB", intent, flags=flags)


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _examine(profile: bytes) -> bytes | None:
    """Return a profile whose header and tag table are whole, without the tags whose cost has no bound; else None."""
    size, n_tags = struct.unpack_from(">I", profile)[0], struct.unpack_from(">I", profile, 128)[0]
    is_whole = 132 < size <= len(profile) and n_tags <= _MOST_TAGS and 132 + 12 * n_tags <= size
    if not is_whole or profile[36:40] != b"acsp" or profile[12:16] not in _CLASSES:
        return None
    found = bytearray(profile[:size])
    for at in range(132, 132 + 12 * n_tags, 12):
        name, start, length = struct.unpack_from(">4sII", found, at)
        if start + length > size:
            return None
        if name in _FLOAT_TAGS:
            found[at : at + 4] = b"none"
    return bytes(found)


def _shift(transform: ImageCms.ImageCmsTransform, mode: str) -> int:
    """Return by how many levels at most the colours of a cube move; any, in a space that is not sRGB's."""
    if mode not in ("RGB", "L"):
        return 255
    steps = np.rint(np.linspace(0, 255, _STEPS)).astype(np.uint8)
    if mode == "L":
        colours = np.arange(256, dtype=np.uint8)[None]
        before = np.stack([colours] * 3, axis=-1)
    else:
        colours = before = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    after = np.asarray(transform.apply(Image.fromarray(colours)))
    return int(np.abs(after.astype(np.int64) - before).max())
