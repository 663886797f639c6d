"""Damage and oddities that a second pair of eyes found to be misjudged."""

import struct

import pytest

from curator.observe.observation import look_at
from curator.reasons import Drop
from tests.observe.drawings import draw, encode
from tests.observe.png_parts import Parts, split_chunks


def look(data):
    return look_at(data, max_pixels=10_000_000).observation


def with_tag(data, wanted, value):
    """A TIFF that says another number in a field of its first directory."""
    at = struct.unpack_from("<I", data, 4)[0]
    changed = bytearray(data)
    for entry in range(at + 2, at + 2 + 12 * struct.unpack_from("<H", data, at)[0], 12):
        tag, kind = struct.unpack_from("<HH", data, entry)
        if tag == wanted:
            struct.pack_into("<H" if kind == 3 else "<I", changed, entry + 8, value)
    return bytes(changed)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_a_tiff_with_fewer_strips_than_rows_is_corrupt(compression):
    data = encode(draw(), "TIFF", compression=compression)
    assert look(data).flaw is None
    assert look(with_tag(data, 257, 1500)).flaw is Drop.CORRUPT


def test_a_tiff_without_columns_is_corrupt_and_no_unknown_kind():
    assert look(with_tag(encode(draw(mode="L"), "TIFF"), 256, 0)).flaw is Drop.CORRUPT


@pytest.mark.parametrize("n_bytes", [8, 12, 20, 32])
def test_a_png_cut_within_its_header_is_truncated(n_bytes):
    assert look(encode(draw())[:n_bytes]).flaw is Drop.TRUNCATED


@pytest.mark.parametrize("bitmap_format", ["png", "bmp"])
@pytest.mark.parametrize("n_bytes", [10, 1500])
def test_a_cut_icon_is_truncated(bitmap_format, n_bytes):
    icon = encode(draw(), "ICO", sizes=[(64, 64)], bitmap_format=bitmap_format)
    assert look(icon).flaw is None
    assert look(icon[:n_bytes]).flaw is Drop.TRUNCATED


def test_transparency_before_the_palette_is_passed_over_as_by_libpng():
    chunks = split_chunks(encode(draw().quantize(16)))
    seen = look(Parts.join([chunks[0], (b"tRNS", b"\0\0"), *chunks[1:]]))
    assert (seen.flaw, seen.well_formed) == (None, False)


def test_a_marker_without_meaning_is_passed_over():
    data = encode(draw(), "JPEG")
    seen = look(data[:2] + b"\xff\x01" + data[2:])
    assert (seen.flaw, seen.well_formed) == (None, False)


def test_a_chunk_with_the_reserved_bit_set_is_not_linked():
    """Refused whole by libpng, though the chunk is one to be passed over."""
    chunks = split_chunks(encode(draw()))
    seen = look(Parts.join([chunks[0], (b"abcd", b"x"), *chunks[1:]]))
    assert (seen.flaw, seen.well_formed) == (None, False)
