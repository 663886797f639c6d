"""Draw a scene of rugby or soccer: the same picture for the same label and seed.

>>> draw_scene("rugby", (0, 1)).dtype
dtype('uint8')
"""

from __future__ import annotations

import cv2
import numpy as np

from curator.demo.drawing.camera import Image
from curator.demo.drawing.rugby import stage_rugby
from curator.demo.drawing.soccer import stage_soccer
from curator.demo.drawing.staging import photograph

LABELS = ("rugby", "soccer")
_STAGES = {"rugby": stage_rugby, "soccer": stage_soccer}
_ASPECTS = (4 / 3, 3 / 2, 16 / 9, 1.0, 3 / 4, 2 / 3)
_ASPECT_SHARES = (0.3, 0.28, 0.12, 0.12, 0.1, 0.08)


def draw_scene(label: str, seed: tuple[int, ...]) -> Image:
    """Draw one picture, 240 to 640 pixels a side: uint8, shape (height, width, 3), in blue, green, red.

    Raises:
        KeyError: ``label`` is not one of :data:`LABELS`.
    """
    rng = np.random.default_rng([LABELS.index(label), *seed])
    return photograph(_STAGES[label](rng, choose_size(rng)), rng)


def choose_size(rng: np.random.Generator) -> tuple[int, int]:
    """Draw a picture's width and height: the shorter side 240 to 420 pixels, the longer at most 640."""
    aspect = float(rng.choice(_ASPECTS, p=_ASPECT_SHARES)) * rng.uniform(0.97, 1.03)
    short = int(rng.integers(240, 421))
    long = min(640, round(short * max(aspect, 1 / aspect)))
    return (long, short) if aspect >= 1 else (short, long)


def encode_jpeg(image: Image, quality: int) -> bytes:
    """Encode a picture as a baseline JPEG."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def encode_png(image: Image) -> bytes:
    """Encode a picture as PNG."""
    return cv2.imencode(".png", image)[1].tobytes()
