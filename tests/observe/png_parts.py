"""PNGs of every kind, taken apart and put together again with one thing wrong."""

import struct
import zlib

import numpy as np

from tests.observe.drawings import draw, png_chunk

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
PALETTE = bytes(range(256)) * 3


def rows_of(samples, bits, first_filter=0):
    """The rows of samples, shape (height, width, channels), each with its filter byte: packed, unfiltered."""
    planes = np.unpackbits(samples.astype(">u2").view(np.uint8).reshape(*samples.shape, 2), axis=-1)[..., 16 - bits :]
    return b"".join(bytes([first_filter]) + np.packbits(row.ravel()).tobytes() for row in planes)


class Parts:
    """A PNG as its parts: ``header`` (the fields of IHDR), ``rows`` (inflated), chunks before and after the pixels."""

    def __init__(self, bits, colour, interlaced=False, size=(61, 47), seed=0):
        channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
        picture = np.asarray(draw(*size, seed=seed, mode="RGBA" if channels == 4 else "RGB"))
        samples = picture[..., :channels].astype(np.uint16)
        if colour == 4:
            samples[..., 1] = 255
        samples = samples * 257 if bits == 16 else samples >> 8 - bits
        self.header = [size[0], size[1], bits, colour, 0, 0, int(interlaced)]
        parts = [samples[top::down, left::right] for left, top, right, down in PASSES] if interlaced else [samples]
        self.row_bytes = 1 + (size[0] * channels * bits + 7) // 8
        self.rows = b"".join(rows_of(part, bits) for part in parts if part.size)
        self.before = [(b"PLTE", PALETTE[: 3 << bits])] if colour == 3 else []
        self.after = []
        self.n_idats = 3

    def packed(self):
        """The pixel data."""
        return zlib.compress(self.rows)

    def build(self, packed=None, end=True):
        """The file."""
        packed = self.packed() if packed is None else packed
        step = -(-len(packed) // self.n_idats)
        idats = [(b"IDAT", packed[at : at + step]) for at in range(0, len(packed), step)]
        return self.join([self.ihdr(), *self.before, *idats, *self.after, *([(b"IEND", b"")] if end else [])])

    def ihdr(self):
        """The header chunk's name and body."""
        return b"IHDR", struct.pack(">IIBBBBB", *self.header)

    @staticmethod
    def join(chunks):
        """The file of these chunks."""
        return SIGNATURE + b"".join(png_chunk(*one) for one in chunks)


TYPES = [
    (8, 2, False), (8, 2, True), (8, 3, False), (4, 3, True), (1, 0, False), (2, 0, True), (8, 0, False),
    (16, 0, False), (8, 4, False), (16, 4, True), (16, 2, False), (8, 6, True), (16, 6, False),
]  # fmt: skip
"""Bits, colour type, interlaced."""


def split_chunks(data):
    """The chunks of a PNG: name and body."""
    at, chunks = 8, []
    while at < len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : end]))
        at = end + 4
    return chunks
