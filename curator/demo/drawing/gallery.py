r"""Draw many scenes of which no two could be taken for copies of each other, however they are turned.

>>> gallery = draw_gallery(seed=5, n_per_label=1)
>>> sorted(gallery), gallery["rugby"][0][:3]
(['rugby', 'soccer'], b'\xff\xd8\xff')
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage

from curator.demo.drawing.camera import Image
from curator.demo.drawing.scenes import LABELS, draw_scene, encode_jpeg
from curator.matching.perceptual_hash import distance64, orientation_hashes, transform

LEAST_DISTANCE_BITS = 12
"""Two more than the 10 that a gallery promises: JPEG compression moves a hash by up to two."""

Gallery = dict[str, list[bytes]]
Hashes = npt.NDArray[np.uint64]


def draw_gallery(seed: int, n_per_label: int) -> Gallery:
    """Draw ``n_per_label`` scenes of each label as JPEG files, all more than 10 bits of pHash apart in any turn."""
    keys = [(label, index) for index in range(n_per_label) for label in LABELS]
    with ThreadPoolExecutor(max_workers=2) as pool:
        first_tries = pool.map(lambda key: draw_scene(key[0], (seed, key[1], 0)), keys)
        gallery: Gallery = {label: [] for label in LABELS}
        taken = np.empty((len(keys), 8), np.uint64)
        for number, ((label, index), image) in enumerate(zip(keys, first_tries, strict=True)):
            image, taken[number] = _unlike(image, taken[:number], label, (seed, index))
            quality = int(np.random.default_rng([seed, number]).integers(62, 96))
            gallery[label].append(encode_jpeg(image, quality))
    return gallery


def _unlike(image: Image, taken: Hashes, label: str, seed: tuple[int, int]) -> tuple[Image, Hashes]:
    """Redraw until the picture is unlike all those before it; gives it with the hashes of its eight turns."""
    turns, attempt = hash_turns(image), 0
    while len(taken) and int(distance64(taken, turns[0]).min()) < LEAST_DISTANCE_BITS:
        attempt += 1
        image = draw_scene(label, (*seed, attempt))
        turns = hash_turns(image)
    return image, turns


def hash_turns(image: Image) -> Hashes:
    """Give the 64-bit pHash of each of a picture's eight turns: uint64, shape (8,)."""
    luma = PillowImage.fromarray(image[..., ::-1]).convert("L").resize((32, 32), PillowImage.Resampling.LANCZOS)
    hashes: Hashes = orientation_hashes(transform(np.asarray(luma)[None]))[0]
    return hashes
