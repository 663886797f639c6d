"""How many frames or pages a file holds, counted without decoding any; a bomb of frames is not counted to its end.

>>> import io
>>> file, frames = io.BytesIO(), [Image.new("L", (8, 8), grey) for grey in (0, 90, 180)]
>>> frames[0].save(file, "gif", save_all=True, append_images=frames[1:])
>>> count_frames(file.getvalue(), Image.open(file))
3
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from PIL import Image

from curator.observe.gif_blocks import FRAME, walk_blocks
from curator.observe.tiff_tags import walk_directories

MAX_FRAMES = 10_000
"""Counting stops here: only the first frame is ever decoded, so a bomb of frames can cost no more than this."""


def count_frames(data: bytes, image: Image.Image) -> int:
    """Count the frames or pages of an opened file, 1 to :data:`MAX_FRAMES`; ``data`` are its bytes."""
    found: Iterator[object]
    if image.format == "GIF":
        found = (start for start, _ in walk_blocks(data) if data[start] == FRAME)
    elif image.format == "TIFF":
        found = walk_directories(data)
    else:
        return max(1, min(getattr(image, "n_frames", 1), MAX_FRAMES))
    return max(1, sum(1 for _ in islice(found, MAX_FRAMES)))
