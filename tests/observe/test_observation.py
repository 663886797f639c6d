"""Any bytes get an observation: facts, hashes or a reason, never an exception."""

import errno
import hashlib
import io
import os
import subprocess
import sys
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from curator.matching.perceptual_hash import HASH_VERSION
from curator.observe import observation, sniff
from curator.observe.frames import MAX_FRAMES
from curator.observe.observation import Observation, hash_sightings, look_at, observe_image
from curator.reasons import Drop
from tests.fuzz.rounds import examples
from tests.observe.drawings import (
    MAX_PIXELS,
    draw,
    encode,
    gif_of_frames,
    png_bomb,
    png_with_chunk,
    webp_bomb,
)

KINDS = ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "JPEG2000", "PPM"]
SMALL = {kind: encode(draw(40, 30), kind) for kind in KINDS}


def observe(data, max_pixels=MAX_PIXELS):
    """Observe with the tests' limit."""
    return observe_image(data, max_pixels=max_pixels)


def test_a_whole_picture_has_every_fact_and_no_flaw():
    """Each observed column of the catalog is filled, and agrees with the bytes."""
    data = encode(draw(), "JPEG")
    seen = observe(data)
    assert seen.sha256 == hashlib.sha256(data).hexdigest()
    assert (seen.n_bytes, seen.format, seen.mode) == (len(data), "jpeg", "RGB")
    assert (seen.width, seen.height, seen.orientation, seen.n_frames) == (200, 150, 1, 1)
    assert seen.hash_version == HASH_VERSION
    assert (len(seen.phash_turns), len(seen.phash256), len(seen.thumbnail)) == (64, 32, 512)
    assert int.from_bytes(seen.phash_turns[:8], "big") == seen.phash
    assert seen.detail > 8
    assert (seen.flaw, seen.flaw_detail) == (None, None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_that_can_open_no_further_file_finds_no_fault_in_a_picture(kind, monkeypatch):
    """Not even to discard what decoders print: what the machine refuses is not the image's fault."""
    expected = observe(SMALL[kind])

    def refuse(*_):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "open", refuse)
    assert observe(SMALL[kind]) == expected


def test_observing_twice_gives_the_same():
    """Nothing depends on what was observed before."""
    data = encode(draw(), "JPEG")
    assert observe(data) == observe(data)


@pytest.mark.parametrize(
    ("data", "reason", "detail"),
    [
        (b"", Drop.EMPTY, "there are no bytes"),
        (b"<!doctype html><title>Sign in</title>", Drop.NOT_AN_IMAGE, "the bytes are an HTML page"),
        (b'{"status": 404}', Drop.NOT_AN_IMAGE, "the bytes are JSON"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Drop.NOT_AN_IMAGE, "the bytes are an SVG drawing"),
        (b"%PDF-1.4 named photo.jpg", Drop.NOT_AN_IMAGE, "the bytes are a PDF document"),
        (b"This photo is gone.", Drop.NOT_AN_IMAGE, "the bytes are text"),
        (bytes(500), Drop.NOT_AN_IMAGE, "the bytes are of no known kind"),
        (b"8BPS\0\1" + bytes(50), Drop.UNSUPPORTED_FORMAT, "no decoder here opens a Photoshop file"),
        (b"DDS |\0\0\0", Drop.UNSUPPORTED_FORMAT, "no decoder here opens a DirectDraw surface"),
        (png_bomb(50_000, 40_000), Drop.TOO_MANY_PIXELS, "50000 x 40000 pixels"),
        (webp_bomb(16_000, 16_000), Drop.TOO_MANY_PIXELS, "16000 x 16000 pixels"),
        (b"GIF89a\0\0\x0a\0" + bytes(30), Drop.CORRUPT, "the header says 0 x 10 pixels"),
    ],
)
def test_what_is_no_usable_image_has_its_reason(data, reason, detail):
    """Each refusal names its reason and its evidence, and has no hash."""
    seen = observe(data)
    assert (seen.flaw, seen.flaw_detail, seen.phash) == (reason, detail, None)
    assert seen.sha256 == hashlib.sha256(data).hexdigest()


def test_a_bomb_is_measured_and_not_decoded(monkeypatch):
    """The header's size is kept as a fact; the decoder is never asked."""
    monkeypatch.setattr(observation, "decode_luma", lambda data, header: pytest.fail("decoded"))
    seen = observe(encode(draw(200, 150), "JPEG"), max_pixels=29_999)
    assert (seen.flaw, seen.width, seen.height) == (Drop.TOO_MANY_PIXELS, 200, 150)


def test_exactly_max_pixels_is_allowed():
    """The limit is the most that is taken."""
    assert observe(encode(draw(200, 150)), max_pixels=30_000).flaw is None


def test_a_header_beyond_the_catalogs_integers_is_no_measure():
    """A width that no column can hold is left out."""
    seen = observe(png_bomb(2**31, 5))
    assert seen.flaw in (Drop.TOO_MANY_PIXELS, Drop.CORRUPT)
    assert seen.width is None


def test_a_bomb_of_frames_is_counted_to_the_limit_only():
    """Three megabytes of frames cost little: only the first is decoded, and counting stops."""
    started = time.process_time()
    seen = observe(gif_of_frames(200_000))
    assert (seen.flaw, seen.n_frames) == (Drop.BLANK, MAX_FRAMES)
    assert time.process_time() - started < 10


@pytest.mark.parametrize("name", [b"zTXt", b"iCCP"])
def test_a_bomb_of_metadata_is_not_unpacked(name):
    """A compressed text or colour profile of 64 MB in a small PNG ends as a flaw or a hash, quickly."""
    started = time.process_time()
    seen = observe(png_with_chunk(name, b"comment\0\0" + zlib.compress(bytes(64_000_000), 9)))
    assert time.process_time() - started < 10
    assert seen.flaw in (None, Drop.CORRUPT)
    assert (seen.flaw is None) == (seen.phash is not None)


@pytest.mark.parametrize("kind", KINDS)
def test_half_a_file_is_truncated(kind):
    """A download cut in the middle is told from a corrupt file; what the header said is kept."""
    data = encode(draw(300, 200), kind)
    seen = observe(data[: len(data) // 2])
    assert (seen.flaw, seen.phash) == (Drop.TRUNCATED, None)


def test_a_jpeg_cut_shortly_before_its_end_is_truncated():
    """Decoding at reduced size still reads to the last row."""
    data = encode(draw(900, 700), "JPEG")
    seen = observe(data[:-20])
    assert (seen.flaw, seen.width, seen.height) == (Drop.TRUNCATED, 900, 700)


def test_bytes_after_the_end_are_harmless():
    """Padding and appended data are no flaw."""
    for kind in ("JPEG", "PNG", "GIF"):
        assert observe(SMALL[kind] + b"trailing" * 100).flaw is None


def test_a_whole_but_broken_file_is_corrupt():
    """Damage in the middle of a file that has its end mark is no truncation, and no picture with a black rest."""
    png = bytearray(SMALL["PNG"])
    png[60] ^= 0xFF
    seen = observe(bytes(png))
    assert (seen.flaw, seen.flaw_detail) == (Drop.CORRUPT, "chunk IDAT has a wrong checksum")


@pytest.mark.parametrize("error", [MemoryError(), ValueError("(-4:Insufficient memory) Failed to allocate 9 bytes")])
def test_a_decoder_that_runs_out_of_memory_has_crashed(monkeypatch, error):
    """Lack of memory says nothing about the file: it is not called corrupt, and the facts known are kept."""

    def fail(data, header):
        raise error

    monkeypatch.setattr(observation, "decode_luma", fail)
    seen = observe(SMALL["PNG"])
    assert (seen.flaw, seen.flaw_detail, seen.width) == (Drop.DECODER_CRASHED, "ran out of memory", 40)


@pytest.mark.parametrize("error", [RecursionError("deep"), OSError("decoder error -2"), SyntaxError("x")])
def test_whatever_the_decoder_raises_becomes_a_flaw(monkeypatch, error):
    """It ends one image, not the run, and the facts known are kept."""

    def fail(data, header):
        raise error

    monkeypatch.setattr(observation, "decode_luma", fail)
    seen = observe(SMALL["PNG"])
    assert (seen.flaw, seen.width, seen.mode) == (Drop.CORRUPT, 40, "RGB")
    assert seen.flaw_detail.startswith(type(error).__name__)


@pytest.mark.skipif(not features.check("webp"), reason="nothing to take away")
def test_a_format_that_this_pillow_was_built_without_is_unsupported(monkeypatch):
    """A missing codec is told as such, not as damage."""
    monkeypatch.setattr(features, "check", lambda feature: feature != "webp")
    assert observe(SMALL["WEBP"]).flaw is Drop.UNSUPPORTED_FORMAT


def test_a_known_placeholder_is_a_flaw_that_keeps_its_hashes(monkeypatch):
    """The picture is measured and hashed like any other, and named."""
    data = SMALL["GIF"]
    monkeypatch.setitem(sniff._PLACEHOLDERS, hashlib.md5(data).hexdigest(), "a picture of nothing")
    seen = observe(data)
    assert (seen.flaw, seen.flaw_detail) == (Drop.PLACEHOLDER, "a picture of nothing")
    assert seen.phash is not None


def test_broken_tiffs_are_not_heard_on_stderr(capfd):
    """The TIFF library writes to the process's standard error by itself; a run's progress must not be torn by it."""
    data = bytearray(encode(draw(), "TIFF", compression="tiff_lzw"))
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    for end in (len(data), len(data) - 100):
        observe(bytes(data[:end]))
    assert capfd.readouterr().err == ""


def test_warnings_of_pillow_are_not_heard(recwarn):
    """A palette whose transparency is given in bytes makes Pillow warn; the observer does not."""
    image = draw(mode="P")
    observe(encode(image, transparency=bytes(range(256))))
    assert not list(recwarn)


@settings(max_examples=examples(150), deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_get_an_observation(data):
    """Noise never raises."""
    seen = observe(data)
    assert isinstance(seen, Observation)
    assert (seen.flaw not in (None, Drop.BLANK)) != (seen.phash is not None)


@settings(max_examples=examples(250), deadline=None)
@given(st.sampled_from(KINDS), st.data())
def test_damaged_files_get_an_observation(kind, data):
    """Files with bytes changed, cut or repeated never raise, and have either hashes or a flaw."""
    damaged = bytearray(SMALL[kind])
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(damaged)))
    seen = observe(bytes(damaged[:end] if data.draw(st.booleans()) else damaged))
    assert (seen.flaw not in (None, Drop.BLANK)) != (seen.phash is not None)


def test_observing_needs_no_pandas():
    """An observing process starts fast: it imports neither pandas nor OpenCV."""
    code = "import sys, curator.observe; print(sorted({'pandas', 'cv2', 'pyarrow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_stored_mode_is_told_not_the_decoders():
    """A colour JPEG is decoded in grey for its hash, yet its mode is that of the file."""
    with Image.open(io.BytesIO(SMALL["JPEG"])) as image:
        assert observe(SMALL["JPEG"]).mode == image.mode == "RGB"


def test_a_batch_is_hashed_as_each_file_alone():
    """Pictures, files without one and turned pictures, in whatever order, get the very same observations."""
    files = [encode(draw(300, 200), "JPEG"), b"", encode(draw(90, 200), "PNG"), b"<html>", encode(draw(64, 64), "WEBP")]
    together = hash_sightings([look_at(data, max_pixels=MAX_PIXELS) for data in files])
    assert together == [observe_image(data, max_pixels=MAX_PIXELS) for data in files]
    assert [seen.phash is None for seen in together] == [False, True, False, True, False]
