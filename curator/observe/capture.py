"""When a photograph was taken, and by which camera, as the EXIF block of a JPEG says.

>>> import io
>>> from PIL import Image
>>> exif, file = Image.Exif(), io.BytesIO()
>>> exif.update({0x010F: "NIKON", 0x0110: "NIKON Z 9"})
>>> exif.get_ifd(0x8769)[0x9003] = "2024:05:01 12:30:07"
>>> Image.new("L", (60, 40)).save(file, "jpeg", exif=exif)
>>> read_capture(file.getvalue())
Capture(taken='2024-05-01T12:30:07', camera='NIKON Z 9')

Tags are those of the Exif standard, https://www.cipa.jp/std/documents/download_e.html?CIPA_DC-008-2024-E.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

_START = b"Exif\0\0"
_SEARCHED = 1 << 17
"""Bytes from the beginning of a file within which its EXIF block starts."""
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_MAKER, _MODEL, _MORE = 0x010F, 0x0110, 0x8769
_TAKEN, _FRACTION, _SERIAL = 0x9003, 0x9291, 0xA431
_TEXT, _MOST_ENTRIES, _MOST_CHARACTERS = 2, 500, 64
_PLAIN_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)


class Capture(NamedTuple):
    """When a photograph was taken (``2024-05-01T12:30:07.250``); maker, model and serial number of its camera."""

    taken: str | None = None
    camera: str | None = None


def read_capture(data: bytes, end: int = _SEARCHED) -> Capture:
    """Read a JPEG's EXIF block; what it does not say, or not as the standard wants it, is None. Never raises.

    Args:
        end: where the pixels begin, if that is known: no block begins there.
    """
    said = _read_texts(data, min(end, _SEARCHED))
    camera, serial = name_camera(said), said.get(_SERIAL, "")
    taken = _read_time(said.get(_TAKEN, ""), said.get(_FRACTION, ""))
    return Capture(taken, " ".join(filter(None, (camera, serial if _MODEL in said else ""))) or None)


def read_camera_model(data: bytes) -> str | None:
    """Read which kind of camera an EXIF block names, whichever one of its kind it was; None: it does not say."""
    return name_camera(_read_texts(data, _SEARCHED)) or None


def name_camera(said: Mapping[int, str]) -> str:
    """Return the model, after its maker unless it begins with the maker's first word.

    >>> name_camera({0x010F: "NIKON CORPORATION", 0x0110: "NIKON D90"}), name_camera({0x010F: "Acme", 0x0110: "Shot 1"})
    ('NIKON D90', 'Acme Shot 1')
    """
    maker, model = said.get(_MAKER, ""), said.get(_MODEL, "")
    is_said = model.casefold().startswith(maker.casefold().partition(" ")[0])
    return model if model and is_said else f"{maker} {model}".strip()


def _read_texts(data: bytes, end: int) -> dict[int, str]:
    """Read the texts of the tags that are asked for here."""
    at = data.find(_START, 0, end)
    exif = data[at + len(_START) : at + len(_START) + 0xFFFF] if at >= 0 else b""
    if (order := _BYTE_ORDERS.get(exif[:4])) is None:
        return {}
    said: dict[int, str] = {}
    with suppress(struct.error):  # cut short
        first, offset = _read_directory(exif, order, struct.unpack_from(order + "I", exif, 4)[0])
        said |= {tag: text for tag, text in first.items() if tag in (_MAKER, _MODEL)}
        second, _ = _read_directory(exif, order, offset) if offset else ({}, 0)
        said |= {tag: text for tag, text in second.items() if tag in (_TAKEN, _FRACTION, _SERIAL)}
    return said


def _read_directory(exif: bytes, order: str, at: int) -> tuple[dict[int, str], int]:
    """Read the texts of a directory, and where the directory of further tags is; 0: nowhere."""
    (n_entries,) = struct.unpack_from(order + "H", exif, at)
    texts, more = {}, 0
    for place in range(at + 2, at + 2 + 12 * min(n_entries, _MOST_ENTRIES), 12):
        tag, kind, count, value = struct.unpack_from(order + "HHII", exif, place)
        if tag == _MORE:
            more = value
        elif kind == _TEXT and tag in (_MAKER, _MODEL, _TAKEN, _FRACTION, _SERIAL):
            start = value if count > 4 else place + 8
            text = exif[start : start + min(count, _MOST_CHARACTERS)].partition(b"\0")[0].decode("ascii", "replace")
            texts[tag] = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return texts, more


def _read_time(text: str, fraction: str) -> str | None:
    if not text:  # most pictures of the web; what follows would import what reads any time
        return None
    try:
        if plain := _PLAIN_TIME.fullmatch(text):  # nearly every one; strptime takes ten times as long
            year, month, day, hour, minute, second = map(int, plain.groups())
            time = datetime(year, month, day, hour, minute, second)
        else:
            time = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    milliseconds = f".{fraction[:3]:0<3}" if fraction.isascii() and fraction.isdecimal() else ""
    return time.isoformat() + milliseconds if time.year > 1900 else None
