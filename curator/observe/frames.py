"""How many frames a file has, without decoding any, and without counting a frame bomb to its end.

>>> import io
>>> file, frames = io.BytesIO(), [Image.new("L", (8, 8), grey) for grey in (0, 90, 180)]
>>> frames[0].save(file, "gif", save_all=True, append_images=frames[1:])
>>> count_gif_frames(file.getvalue())
3
"""

from __future__ import annotations

import struct

from PIL import Image

MAX_FRAMES = 10_000
"""Counting stops here: only the first frame is ever decoded, so a bomb of frames can cost no more than this."""


def count_frames(data: bytes, image: Image.Image) -> int:
    """Count the frames or pages of an opened file, 1 to :data:`MAX_FRAMES`; ``data`` are its bytes."""
    if image.format == "GIF":
        return count_gif_frames(data)
    if image.format == "TIFF":
        return count_tiff_pages(data)
    return max(1, min(getattr(image, "n_frames", 1), MAX_FRAMES))


def count_gif_frames(data: bytes) -> int:
    """Count the image descriptors of a GIF (https://www.w3.org/Graphics/GIF/spec-gif89a.txt), up to a broken block."""
    at, n_frames = _after_color_table(data, 10, 13), 0
    while at < len(data) and n_frames < MAX_FRAMES:
        if data[at] == 0x2C:  # image descriptor, colour table, code size
            n_frames += 1
            at = _after_color_table(data, at + 9, at + 10) + 1
        elif data[at] == 0x21:  # extension, label
            at += 2
        else:
            break
        at = _after_sub_blocks(data, at)
    return max(1, n_frames)


def _after_color_table(data: bytes, flags_at: int, table_at: int) -> int:
    flags = data[flags_at] if flags_at < len(data) else 0
    return table_at + (3 << (flags & 7) + 1 if flags & 0x80 else 0)


def _after_sub_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1


def count_tiff_pages(data: bytes) -> int:
    """Count the directories of a TIFF or BigTIFF, up to a loop or the end of the file."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    n_entries_code, offset_code, entry_size = ("Q", "Q", 20) if big else ("H", "I", 12)
    n_entries_code, offset_code = order + n_entries_code, order + offset_code
    n_entries_size, offset_size = struct.calcsize(n_entries_code), struct.calcsize(offset_code)
    offset_at, seen = (8 if big else 4), set[int]()
    while offset_at + offset_size <= len(data) and len(seen) < MAX_FRAMES:
        (directory,) = struct.unpack_from(offset_code, data, offset_at)
        if directory == 0 or directory in seen or directory + n_entries_size > len(data):
            break
        seen.add(directory)
        (n_entries,) = struct.unpack_from(n_entries_code, data, directory)
        offset_at = directory + n_entries_size + n_entries * entry_size
    return max(1, len(seen))
