"""What the bytes of one file are: the observed columns of the catalog, and what is wrong with them.

>>> observation = observe_image(b"<html>Not found</html>", max_pixels=1_000_000)
>>> observation.flaw, observation.flaw_detail
(<Drop.NOT_AN_IMAGE: 'not-an-image'>, 'the bytes are an HTML page')
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from curator.matching import perceptual_hash
from curator.matching.luma_signatures import pack_signatures
from curator.matching.perceptual_hash import HASH_VERSION
from curator.observe.blank import blank_colour
from curator.observe.bmp import BadHeaderError
from curator.observe.capture import read_capture
from curator.observe.header import Header, canvas_size, looks_truncated, read_header
from curator.observe.jpeg_header import PlainJpeg, read_plain_jpeg
from curator.observe.jpeg_scans import DamagedPixelsError
from curator.observe.luma import decode_luma
from curator.observe.openers import lacking_decoder
from curator.observe.png import DamagedPngError, MissingRowsError
from curator.observe.refusals import misread_kind, unsupported_kind
from curator.observe.silence import silence
from curator.observe.sniff import placeholder_name, sniff
from curator.observe.tiff_tags import read_directory
from curator.reasons import Drop

OBSERVER_VERSION = 100 * HASH_VERSION + 4
"""Raised when anything but the hash is observed otherwise than before: stored files are then observed again."""

FLAWS = (
    Drop.EMPTY, Drop.NOT_AN_IMAGE, Drop.UNSUPPORTED_FORMAT, Drop.TOO_MANY_PIXELS, Drop.TRUNCATED, Drop.CORRUPT,
    Drop.DECODER_CRASHED, Drop.PLACEHOLDER, Drop.BLANK,
)  # fmt: skip
"""What may be wrong with the bytes of a file."""

_MAX_INT32 = 2**31 - 1
_BATCH = 512


class Observation(NamedTuple):
    """Facts about one file. What could not be learned is None.

    Attributes:
        sha256 to hash_version: columns of :data:`curator.catalog.SCHEMA`, which says what they hold; of several frames
            the first is observed.
        flaw: why the file is no usable image, or None.
        flaw_detail: the evidence for it, as a clause.
    """

    sha256: str
    n_bytes: int
    sha1: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    orientation: int | None = None
    mode: str | None = None
    n_frames: int | None = None
    taken: str | None = None
    camera: str | None = None
    well_formed: bool | None = None
    detail: float | None = None
    phash: int | None = None
    phash_turns: bytes | None = None
    phash256: bytes | None = None
    thumbnail: bytes | None = None
    hash_version: int | None = None
    flaw: Drop | None = None
    flaw_detail: str | None = None


N_SEEN = Observation._fields.index("detail")
"""So many fields are known before hashing, the flaw aside, which comes last."""


class Sighting(NamedTuple):
    """What one file showed when it was looked at; hashing follows, of many at once.

    Attributes:
        observation: all but the hashes and what else is made of the luma.
        luma: the upright picture in 32x32 greys, 1,024 bytes row by row; None if it could not be decoded.
    """

    observation: Observation
    luma: bytes | None = None


class _FlawError(Exception):
    def __init__(self, reason: Drop, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


def observe_image(data: bytes, *, max_pixels: int) -> Observation:
    """Observe the bytes of one file: :func:`look_at` it, and hash what was seen.

    Takes the same arguments, and never raises either.
    """
    return hash_sightings([look_at(data, max_pixels=max_pixels)])[0]


def look_at(data: bytes, *, max_pixels: int) -> Sighting:
    """Look at the bytes of one file: sniff, measure, decode once, shrink.

    Never raises, whatever the bytes: what the decoder raises (lack of memory too) becomes a flaw, and the facts
    learned before it are kept.

    Args:
        data: the whole file.
        max_pixels: width times height above which a file is refused undecoded.
    """
    sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    facts: dict[str, Any] = {"sha256": hashlib.sha256(data).hexdigest(), "n_bytes": len(data), "sha1": sha1}
    luma = None
    try:
        luma = _picture(data, max_pixels, facts)
        if name := placeholder_name(data):
            raise _FlawError(Drop.PLACEHOLDER, name)
        if colour := blank_colour(data, luma):
            raise _FlawError(Drop.BLANK, f"every pixel is {colour}")
    except _FlawError as flaw:
        facts |= {"flaw": flaw.reason, "flaw_detail": flaw.detail}
    return Sighting(Observation(**facts), luma)


def _picture(data: bytes, max_pixels: int, facts: dict[str, Any]) -> bytes:
    """Return the luma, and note on the way what is learned of the file."""
    image_format = _supported_format(data, facts)
    try:
        if image_format == "jpeg" and (plain := read_plain_jpeg(data)):
            return _decode(data, plain, max_pixels, facts)
        with silence(image_format):
            if size := canvas_size(data, image_format):
                _check_size(*size, max_pixels, facts)
            header = read_header(data, image_format)
            facts |= {"format": "mpo"} if header.image.format == "MPO" else {}
            return _decode(data, header, max_pixels, facts)
    except _FlawError:
        raise
    except Image.DecompressionBombError as error:
        raise _FlawError(Drop.TOO_MANY_PIXELS, _clause(error)) from error
    except Exception as error:  # decoders raise whatever they like; a broken file must not stop the run
        raise _decoding_flaw(data, image_format, error) from error


def _decode(data: bytes, header: Header | PlainJpeg, max_pixels: int, facts: dict[str, Any]) -> bytes:
    facts |= {"orientation": header.orientation, "mode": header.mode, "n_frames": header.n_frames}
    if kind := misread_kind(data, facts["format"], header.height):
        raise _FlawError(Drop.UNSUPPORTED_FORMAT, f"no decoder here reads {kind}")
    _check_size(header.width, header.height, max_pixels, facts)
    if facts["format"] == "tiff" and (directory := read_directory(data)) and directory.lacks_rows():
        raise DamagedPixelsError("there are too few strips for the height of the picture")
    if facts["format"] in ("jpeg", "mpo"):
        scan_at = [header.scan_at] if isinstance(header, PlainJpeg) else []
        facts["taken"], facts["camera"] = read_capture(data, *scan_at)
    luma, facts["well_formed"] = decode_luma(data, header)
    return luma.tobytes()


def _supported_format(data: bytes, facts: dict[str, Any]) -> str:
    if not data:
        raise _FlawError(Drop.EMPTY, "there are no bytes")
    sniffed = sniff(data)
    facts["format"] = sniffed.format
    if not sniffed.is_image or sniffed.format is None:
        raise _FlawError(Drop.NOT_AN_IMAGE, f"the bytes are {sniffed.name}")
    if lacking := lacking_decoder(sniffed.format, sniffed.name):
        raise _FlawError(Drop.UNSUPPORTED_FORMAT, lacking)
    return sniffed.format


def _check_size(width: int, height: int, max_pixels: int, facts: dict[str, Any]) -> None:
    if 0 < width <= _MAX_INT32 and 0 < height <= _MAX_INT32:
        facts |= {"width": width, "height": height}
    if width * height > max_pixels:
        raise _FlawError(Drop.TOO_MANY_PIXELS, f"{width} x {height} pixels")
    if width <= 0 or height <= 0:
        raise _FlawError(Drop.CORRUPT, f"the header says {width} x {height} pixels")


def _decoding_flaw(data: bytes, image_format: str, error: Exception) -> _FlawError:
    text = str(error).lower()
    if isinstance(error, MemoryError) or "insufficient memory" in text:
        return _FlawError(Drop.DECODER_CRASHED, "ran out of memory")
    with silence(image_format):
        kind = unsupported_kind(data, image_format)
    if kind:
        return _FlawError(Drop.UNSUPPORTED_FORMAT, f"no decoder here reads {kind}")
    is_damaged = isinstance(error, DamagedPngError | BadHeaderError) and not isinstance(error, MissingRowsError)
    if "truncated" in text or (not is_damaged and looks_truncated(data, image_format)):
        return _FlawError(Drop.TRUNCATED, _clause(error))
    is_unsupported = "unsupported" in text and image_format != "bmp"  # all kinds of which are named above
    return _FlawError(Drop.UNSUPPORTED_FORMAT if is_unsupported else Drop.CORRUPT, _clause(error))


def _clause(error: Exception) -> str:
    text = " ".join(str(error).split())[:200]
    if isinstance(error, DamagedPngError | DamagedPixelsError | BadHeaderError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def hash_sightings(sightings: Sequence[Sighting]) -> list[Observation]:
    """Complete observations with the hashes, detail and thumbnails of their pictures, in the same order.

    A batch of a hundred costs a tenth a picture of what one alone does: the arithmetic is small, its calls are not.
    """
    observations = [sighting.observation for sighting in sightings]
    seen = [number for number, sighting in enumerate(sightings) if sighting.luma is not None]
    for start in range(0, len(seen), _BATCH):
        batch = seen[start : start + _BATCH]
        lumas = b"".join(sightings[number].luma or b"" for number in batch)
        for number, facts in zip(batch, _hash_facts(lumas), strict=True):
            known = observations[number]
            observations[number] = Observation._make((*known[:N_SEEN], *facts, known.flaw, known.flaw_detail))
    return observations


def _hash_facts(lumas: bytes) -> Iterator[tuple[Any, ...]]:
    """Yield the fields of an observation from ``detail`` to ``hash_version`` for each luma."""
    pictures = np.frombuffer(lumas, np.uint8).reshape(-1, perceptual_hash.LUMA_SIDE, perceptual_hash.LUMA_SIDE)
    coefficients = perceptual_hash.transform(pictures)
    details = perceptual_hash.detail(coefficients).tolist()
    turns = perceptual_hash.orientation_bytes(coefficients)
    hashes256 = perceptual_hash.hash256(coefficients)
    thumbnails = pack_signatures(pictures)
    for detail, turned, hash256, thumbnail in zip(details, turns, hashes256, thumbnails, strict=True):
        packed = turned.tobytes()
        yield detail, int.from_bytes(packed[:8]), packed, hash256.tobytes(), thumbnail, HASH_VERSION
