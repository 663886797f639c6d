"""The ICC profile that a file states: the one in it, or one made of the numbers by which it names its colours.

A PNG's cICP comes before its iCCP, that before sRGB, and that before gAMA and cHRM, which count only together, as in
browsers (https://www.w3.org/TR/png-3/#color-chunk-precendence). AVIF and HEIC have the numbers of cICP as ``nclx``.

>>> stated_profile({"srgb": True, "gamma": 0.45455}), stated_profile({})
(b'', b'')
>>> profile = stated_profile({"cicp": (12, 13)})  # Display P3
>>> profile[16:20], len(profile)
(b'RGB ', 328)
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Chromaticities = tuple[float, ...]
"""x and y of white, red, green and blue (CIE 1931)."""

_D65 = (0.3127, 0.3290)
_PRIMARIES: dict[int, Chromaticities] = {
    1: (*_D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060),  # BT.709, sRGB
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),  # BT.470 M
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),  # BT.470 BG
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),  # BT.601
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),  # SMPTE 240
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),  # BT.2020
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # DCI P3
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # Display P3
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),  # EBU 3213
}
_SRGB_CURVES = (1, 6, 13, 14, 15)  # the curves of television are what still pictures are labelled with that are sRGB
_EXPONENTS = {4: 2.2, 5: 2.8, 8: 1.0}
# ITU-T H.273, tables 2 and 3. PQ and HLG, of pictures brighter than a screen's white, are not mapped.

_SRGB_GAMMA, _TOLERANCE = 0.45455, 0.005
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50 = np.array([0.9642, 1.0, 0.8249])
_SRGB_CURVE = struct.pack(
    ">4s4xH2x5i", b"para", 3, *(round(value * 65536) for value in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
)

Numbers = npt.NDArray[np.float64]


def stated_profile(info: Mapping[Any, Any]) -> bytes:
    """Return the ICC profile of an opened file's colours; empty if it states none.

    Args:
        info: of its :class:`PIL.Image.Image`: ``icc_profile``, and what :mod:`curator.observe.png_colours` reads.
    """
    if (numbers := info.get("cicp")) and (profile := _numbered_profile(*numbers)):
        return profile
    found = info.get("icc_profile")
    if found and isinstance(found, bytes):  # a broken TIFF's may be of any type
        return found
    gamma, chromaticity = info.get("gamma"), info.get("chromaticity")
    if not gamma or not chromaticity or "srgb" in info:
        return b""
    return make_profile(tuple(chromaticity), None if abs(gamma - _SRGB_GAMMA) < _TOLERANCE else 1 / gamma)


def _numbered_profile(primaries: int, transfer: int) -> bytes:
    if primaries not in _PRIMARIES or transfer not in (*_SRGB_CURVES, *_EXPONENTS):
        return b""
    return make_profile(_PRIMARIES[primaries], _EXPONENTS.get(transfer))


@lru_cache(maxsize=16)
def make_profile(chromaticities: Chromaticities, exponent: float | None) -> bytes:
    """Make a matrix profile (ICC.1:2022, 8.3.3) of three primaries and one curve; empty for colours that cannot be.

    Args:
        chromaticities: of white, red, green and blue.
        exponent: of the curve from samples to light; None for sRGB's (IEC 61966-2-1).
    """
    try:
        white, *colours = _xyz_columns(chromaticities)
        curve = _SRGB_CURVE if exponent is None else struct.pack(">4s4xIH2x", b"curv", 1, round(exponent * 256))
        tags = {b"wtpt": _xyz_tag(_D50), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), _adapt(white, colours), strict=True):
            tags[name] = _xyz_tag(column)
    except (np.linalg.LinAlgError, ZeroDivisionError, struct.error):
        return b""
    bodies = list(dict.fromkeys(tags.values()))
    starts = np.cumsum([132 + 12 * len(tags), *map(len, bodies)]).tolist()
    table = [struct.pack(">4sII", name, starts[bodies.index(body)], len(body)) for name, body in tags.items()]
    words = (starts[-1], 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp", _xyz_tag(_D50)[8:])
    header = struct.pack(">I4xI4s4s4s12x4s28x12s48x", *words)
    return b"".join((header, struct.pack(">I", len(tags)), *table, *bodies))


def _xyz_columns(chromaticities: Chromaticities) -> list[Numbers]:
    """Return the colours' tristimulus values, each with Y = 1."""
    pairs = zip(chromaticities[::2], chromaticities[1::2], strict=True)
    return [np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in pairs]


def _adapt(white: Numbers, colours: list[Numbers]) -> Numbers:
    """Return a row of tristimulus values for each colour, adding up to white, as an eye sees them that D50 is white to.

    By Bradford's matrix, see http://www.brucelindbloom.com/index.html?Eqn_ChromAdapt.html.
    """
    basis = np.stack(colours, axis=1)
    basis = basis * np.linalg.solve(basis, white)
    scale = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    return np.asarray((np.linalg.inv(_BRADFORD) @ scale @ _BRADFORD @ basis).T)


def _xyz_tag(values: Numbers) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(float(value) * 65536) for value in values))
