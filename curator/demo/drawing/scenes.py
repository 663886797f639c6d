r"""Draw scenes of rugby or soccer: the same picture for the same label and seed, and galleries of unlike pictures.

>>> draw_scene("rugby", (0, 1)).dtype
dtype('uint8')
>>> gallery = draw_gallery(seed=5, n_per_label=1)
>>> sorted(gallery), gallery["rugby"][0][:3]
(['rugby', 'soccer'], b'\xff\xd8\xff')
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage

from curator.demo.drawing.camera import Image
from curator.demo.drawing.rugby import stage_rugby
from curator.demo.drawing.soccer import stage_soccer
from curator.demo.drawing.staging import photograph
from curator.matching.perceptual_hash import distance64, orientation_hashes, transform

Gallery = dict[str, list[bytes]]
Hashes = npt.NDArray[np.uint64]

LABELS = ("rugby", "soccer")
_STAGES = {"rugby": stage_rugby, "soccer": stage_soccer}
LEAST_DISTANCE_BITS = 12
"""Two more than the 10 that a gallery promises: JPEG compression moves a hash by up to two."""


def draw_scene(label: str, seed: tuple[int, ...]) -> Image:
    """Draw one picture, sides of 240 to 420 and up to 640 pixels: uint8, (height, width, 3), blue, green, red.

    Raises:
        KeyError: ``label`` is not one of :data:`LABELS`.
    """
    rng = np.random.default_rng([LABELS.index(label), *seed])
    aspects, shares = (4 / 3, 3 / 2, 16 / 9, 1.0, 3 / 4, 2 / 3), (0.3, 0.28, 0.12, 0.12, 0.1, 0.08)
    aspect = float(rng.choice(aspects, p=shares)) * rng.uniform(0.97, 1.03)
    short = int(rng.integers(240, 421))
    long = min(640, round(short * max(aspect, 1 / aspect)))
    return photograph(_STAGES[label](rng, (long, short) if aspect >= 1 else (short, long)), rng)


def encode_jpeg(image: Image, quality: int) -> bytes:
    """Encode a picture as a baseline JPEG."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def encode_png(image: Image) -> bytes:
    """Encode a picture as PNG."""
    return cv2.imencode(".png", image)[1].tobytes()


def draw_gallery(seed: int, n_per_label: int) -> Gallery:
    """Draw ``n_per_label`` scenes of each label as JPEGs, all more than 10 bits of pHash apart in any orientation."""
    keys = [(label, index) for index in range(n_per_label) for label in LABELS]
    with ThreadPoolExecutor(max_workers=2) as pool:
        first_tries = pool.map(lambda key: draw_scene(key[0], (seed, key[1], 0)), keys)
        gallery: Gallery = {label: [] for label in LABELS}
        taken = np.empty((len(keys), 8), np.uint64)
        for number, ((label, index), image) in enumerate(zip(keys, first_tries, strict=True)):
            hashes, attempt = hash_orientations(image), 0
            while number and int(distance64(taken[:number], hashes[0]).min()) < LEAST_DISTANCE_BITS:
                attempt += 1
                image = draw_scene(label, (seed, index, attempt))
                hashes = hash_orientations(image)
            taken[number] = hashes
            quality = int(np.random.default_rng([seed, number]).integers(62, 96))
            gallery[label].append(encode_jpeg(image, quality))
    return gallery


def hash_orientations(image: Image) -> Hashes:
    """Compute the 64-bit pHash of a picture in each of its eight orientations: uint64, shape (8,)."""
    luma = PillowImage.fromarray(image[..., ::-1]).convert("L").resize((32, 32), PillowImage.Resampling.LANCZOS)
    return np.asarray(orientation_hashes(transform(np.asarray(luma)[None]))[0])
