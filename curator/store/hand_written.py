r"""Read a text that a person may have written, with whatever editor.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "recipe.toml"
>>> _ = path.write_bytes(b"\xef\xbb\xbfname = 'balls'\r\n")
>>> read_hand_written(path)
"name = 'balls'\n"
>>> _ = path.write_text("name = 'balls'", encoding="utf-16")
>>> read_hand_written(path)
Traceback (most recent call last):
ValueError: is UTF-16 text: save it as UTF-8
"""

from __future__ import annotations

import codecs
from pathlib import Path

_OTHERS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def read_hand_written(path: Path) -> str:
    """Read UTF-8 text, with a byte order mark or without, its lines ended by LF.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no UTF-8; the message continues a sentence about the file, and says what to do.
    """
    return decode_hand_written(path.read_bytes())


def decode_hand_written(data: bytes) -> str:
    """Decode such a text; see :func:`read_hand_written`."""
    for mark, encoding in _OTHERS:
        if data.startswith(mark):
            raise ValueError(f"is {encoding} text: save it as UTF-8")
    if b"\0" in data[:2]:
        raise ValueError("is UTF-16 text: save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"is not UTF-8 text (byte {error.start}, in line {line}): save it as UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
