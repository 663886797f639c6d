"""Make the observations of pictures that were never drawn: hashes, detail and thumbnails that agree with one another.

Pictures are sums of cosines whose size falls with their frequency, as photographs' does. Some vary one motif, as white-
ground product photos do: their hashes are near by themselves. Some are copies of others: noisy, or cropped, or turned.

>>> made = make_pictures(np.random.default_rng(0), 400)
>>> made["phash_turns"].shape, made["phash256"].shape, made["thumbnail"].shape, made["detail"].shape
((400, 64), (400, 32), (400, 512), (400,))
"""

import numpy as np

from curator.matching.crops import crop_signatures
from curator.matching.luma_signatures import orient_signatures, pack_signatures
from curator.matching.perceptual_hash import detail, hash256, orientation_bytes, transform

SIDE = 32
COPIES = 0.05
"""Part of the pictures that are copies of others: a third each noisy, cropped by a tenth, and turned or mirrored."""
MOTIF = 0.2
"""Part of the others that vary one motif. Real ones: 566 photos of scenes have no two strangers within 10 of 64 bits in
any orientation, and 872 of balls, mostly on white ground, have 6 in 10,000 pairs."""
MOTIF_WEIGHT = 0.875
"""Of the motif in those, against 1 of what is their own: as many pairs within 10 bits as the balls have."""
_BLOCK = 4096


def make_pictures(chance, n):
    """Give the catalog's bytes of ``n`` pictures, uint8 of shape (n, width) by column, and float32 ``detail``."""
    lumas = make_lumas(chance, n)
    parts = [observe(lumas[start : start + _BLOCK]) for start in range(0, n, _BLOCK)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def observe(lumas):
    """What observing a picture of these 32x32 lumas yields."""
    coefficients = transform(lumas)
    thumbnails = np.frombuffer(b"".join(pack_signatures(lumas)), np.uint8).reshape(len(lumas), -1)
    turns = orientation_bytes(coefficients).reshape(len(lumas), -1)
    return {
        "phash_turns": turns,
        "phash256": hash256(coefficients),
        "detail": detail(coefficients),
        "thumbnail": thumbnails,
    }


def make_lumas(chance, n):
    """Lumas, uint8 of shape (n, 32, 32), the copies last."""
    n_copies = int(n * COPIES)
    motif = draw(chance, 1)
    lumas = np.empty((n, SIDE, SIDE), np.uint8)
    for start in range(0, n - n_copies, _BLOCK):
        own = draw(chance, min(_BLOCK, n - n_copies - start))
        varied = chance.random(len(own)) < MOTIF
        lumas[start : start + len(own)] = expose(own + MOTIF_WEIGHT * varied[:, None, None] * motif)
    originals = lumas[chance.permutation(n - n_copies)[:n_copies]]
    lumas[n - n_copies :] = alter(chance, originals)
    return lumas


def draw(chance, n):
    """Random pictures, float32 of shape (n, 32, 32), whose cosines' sizes fall with the frequency."""
    frequency, position = np.arange(SIDE)[:, None], np.arange(SIDE)
    cosines = np.cos(np.pi * frequency * (2 * position + 1) / (2 * SIDE)).astype(np.float32)
    fall = 1 / np.maximum(1, np.hypot(frequency, frequency.T)).astype(np.float32) ** 1.5
    return cosines.T @ (chance.standard_normal((n, SIDE, SIDE), np.float32) * fall) @ cosines


def expose(pictures):
    """Stretch each picture to the lumas of a well lit one."""
    mean, spread = pictures.mean(axis=(1, 2), keepdims=True), pictures.std(axis=(1, 2), keepdims=True)
    return np.clip(127 + 50 * (pictures - mean) / spread, 0, 255).astype(np.uint8)


def alter(chance, lumas):
    """Make of each picture a copy: a third of them noisy, then a third cropped, then a third turned or mirrored."""
    noisy, cropped, turned = np.array_split(lumas, 3)
    noise = np.rint(chance.normal(0, 3, noisy.shape))
    return np.concatenate(
        [
            np.clip(noisy + noise, 0, 255).astype(np.uint8),
            np.rint(crop_signatures(cropped, chance.integers(0, 5, len(cropped)))).astype(np.uint8),
            orient_signatures(turned, chance.integers(1, 8, len(turned)).astype(np.uint8)),
        ]
    )
