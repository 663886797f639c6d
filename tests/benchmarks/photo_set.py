r"""Make the photos that the fetch benchmark serves: JPEGs of about 70 KB, each with bytes of its own.

Rendered scenes with film grain, or a folder of photos, are re-encoded; a comment segment with a number then makes as
many distinct files of them as are wanted, as a store that keeps each content once would else write a few only.

>>> numbered(b"\xff\xd8\xff\xd9", 7)
b'\xff\xd8\xff\xfe\x00\n00000007\xff\xd9'
"""

from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from curator.demo.drawing.scenes import draw_scene

N_MOTIFS = 32
TARGET_BYTES = 70_000
SIZE = (640, 480)
_QUALITIES = range(30, 98)


def write_photos(folder: Path, n_photos: int, photos: Path | None = None) -> float:
    """Write ``N.jpg`` for N from 0 to ``n_photos`` - 1; give the mean size in bytes.

    Args:
        folder: where to.
        n_photos: how many files.
        photos: a folder of photos to use instead of rendered scenes; not changed.
    """
    folder.mkdir(parents=True)
    motifs = [near_target(picture) for picture in (_rendered() if photos is None else _read(photos))]
    for number, motif in zip(range(n_photos), cycle(motifs), strict=False):
        (folder / f"{number}.jpg").write_bytes(numbered(motif, number))
    return sum(map(len, motifs)) / len(motifs)


def near_target(picture: Image.Image) -> bytes:
    """Encode at the least quality that makes 70,000 bytes, or at the best."""
    place = bisect_left(_QUALITIES, TARGET_BYTES, key=lambda quality: len(_encode(picture, quality)))
    return _encode(picture, _QUALITIES[min(place, len(_QUALITIES) - 1)])


def numbered(jpeg: bytes, number: int) -> bytes:
    """Put a comment (marker COM, ITU-T T.81 B.2.4.5) with ``number`` behind a JPEG's first marker."""
    text = f"{number:08d}".encode()
    return jpeg[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + jpeg[2:]


def _encode(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "jpeg", quality=quality)
    return file.getvalue()


def _rendered() -> Iterator[Image.Image]:
    chance = np.random.default_rng(0)
    for number in range(N_MOTIFS):
        scene = Image.fromarray(draw_scene(("rugby", "soccer")[number % 2], (0, number))[..., ::-1])
        pixels = np.asarray(scene.resize(SIZE, Image.Resampling.LANCZOS), np.float32)
        grain = chance.normal(0, 6, pixels.shape[:2])[..., None]
        yield Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))


def _read(photos: Path) -> Iterator[Image.Image]:
    files = sorted(path for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for path in files[:: max(1, len(files) // N_MOTIFS)][:N_MOTIFS]:
        with Image.open(path) as image:
            yield ImageOps.contain(ImageOps.exif_transpose(image).convert("RGB"), (SIZE[0], SIZE[0]))
