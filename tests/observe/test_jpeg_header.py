"""A plain JPEG's markers say what opening it says; whatever is not plain is left to be opened."""

import pytest
from PIL import Image

from curator.observe.header import read_header
from curator.observe.jpeg_header import read_plain_jpeg
from tests.observe.drawings import draw, encode, encode_turned


def facts(header):
    """What both ways of reading tell."""
    return header.width, header.height, header.orientation, header.mode, header.n_frames


def segment(marker, content):
    """One marker segment."""
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def with_segments(*segments):
    """A small whole JPEG with more segments after its start."""
    data = encode(draw(40, 30), "JPEG")
    return data[:2] + b"".join(segments) + data[2:]


def exif(order, directory=8, kind=3, tag=0x0112):
    """An EXIF block of one entry: orientation 6."""
    small, long = ("little", "big")[order == b"MM"], 4
    entry = tag.to_bytes(2, small) + kind.to_bytes(2, small) + (1).to_bytes(long, small) + (6).to_bytes(2, small)
    start = order + (42).to_bytes(2, small) + directory.to_bytes(long, small)
    return b"Exif\0\0" + start + (1).to_bytes(2, small) + entry + bytes(6)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"comment": b"of a ball"}, {"icc_profile": bytes(70_000)}]
)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_plain_files_are_read_as_pillow_reads_them(mode, options, orientation):
    """Size after the turn, orientation, mode and frames."""
    data = encode_turned(draw(200, 150, mode=mode), orientation, "JPEG", **options)
    assert facts(read_plain_jpeg(data)) == facts(read_header(data, "jpeg"))


@pytest.mark.parametrize("order", [b"II", b"MM"])
def test_both_byte_orders_are_read(order):
    """An EXIF block may be of either."""
    data = with_segments(segment(0xE1, exif(order)))
    assert read_plain_jpeg(data).orientation == read_header(data, "jpeg").orientation == 6
    assert (read_plain_jpeg(data).width, read_plain_jpeg(data).stored_size) == (30, (40, 30))


def test_an_exif_block_without_orientation_turns_nothing():
    """Any other tag is passed over."""
    assert read_plain_jpeg(with_segments(segment(0xE1, exif(b"II", tag=0x0110)))).orientation == 1


@pytest.mark.parametrize(
    "data",
    [
        encode(draw(40, 30, mode="CMYK"), "JPEG"),
        encode(draw(40, 30), "MPO", save_all=True, append_images=[draw(40, 30, 1)]),
        with_segments(segment(0xE1, exif(b"II")), segment(0xE1, exif(b"II"))),
        with_segments(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation='6'/>")),
        with_segments(segment(0xE1, b"Exif\0\0garbage")),
        with_segments(segment(0xE1, exif(b"II", directory=900))),
        with_segments(segment(0xE1, exif(b"II", kind=4))),
        with_segments(b"noise"),
        with_segments(segment(0xC0, b"\x0c\0\x20\0\x20\3")),
        with_segments(segment(0xDC, b"\0\x20")),
    ],
    ids=["cmyk", "mpo", "exif-twice", "xmp", "garbage", "outside", "long", "noise", "twelve-bits", "lines-later"],
)
def test_what_is_not_plain_is_left_to_pillow(data):
    """Nothing is said of it."""
    assert read_plain_jpeg(data) is None


def test_no_cut_file_is_read_before_its_pixels_begin():
    """A header that is not whole says nothing; neither does it raise."""
    data = encode_turned(draw(40, 30), 6, "JPEG")
    start_of_scan = data.index(b"\xff\xda")
    assert {read_plain_jpeg(data[:end]) for end in range(start_of_scan)} == {None}


def test_the_header_of_a_grey_picture_is_grey():
    """One component is mode L."""
    assert read_plain_jpeg(encode(Image.new("L", (8, 8)), "JPEG")).mode == "L"
