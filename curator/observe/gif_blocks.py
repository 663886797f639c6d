"""The blocks of a GIF, walked without decoding (https://www.w3.org/Graphics/GIF/spec-gif89a.txt).

>>> import io
>>> from PIL import Image
>>> file = io.BytesIO()
>>> Image.new("L", (2, 2)).save(file, "gif", comment=b"a comment")
>>> data = file.getvalue()
>>> [data[start : start + 2] == COMMENT for start, _ in walk_blocks(data)], data[screen_end(data) :][:2] == COMMENT
([True, False], True)
"""

from __future__ import annotations

from collections.abc import Iterator

EXTENSION, FRAME = 0x21, 0x2C
COMMENT, GRAPHIC_CONTROL = b"!\xfe", b"!\xf9"


def screen_end(data: bytes) -> int:
    """Return where the screen's description and colours end, which is where the first block begins."""
    return _after_color_table(data, 10, 13)


def walk_blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each extension and frame begins and ends, in bytes, up to the end of the file or a broken block."""
    at = screen_end(data)
    while at < len(data) and data[at] in (EXTENSION, FRAME):
        # An extension has a label before its sub-blocks, a frame its description, colours and the size of its codes.
        end = at + 2 if data[at] == EXTENSION else _after_color_table(data, at + 9, at + 10) + 1
        while end < len(data) and data[end]:
            end += data[end] + 1
        yield at, end + 1
        at = end + 1


def _after_color_table(data: bytes, flags_at: int, table_at: int) -> int:
    flags = data[flags_at] if flags_at < len(data) else 0
    return table_at + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
