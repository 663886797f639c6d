"""A file is what its bytes are, whatever its name or its server says."""

import pytest
from PIL import features

from curator.observe.sniff import sniff
from tests.observe.drawings import draw, encode

ENCODINGS = ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000", "ICO", "PPM"]
NAMES = {"JPEG2000": "jp2"}


@pytest.mark.parametrize("kind", ENCODINGS)
def test_every_decodable_format_is_known_by_its_bytes(kind):
    """What Pillow writes is recognised as an image under the catalog's name."""
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow writes no AVIF")
    found = sniff(encode(draw(20, 20), kind))
    assert (found.format, found.is_image) == (NAMES.get(kind, kind.lower()), True)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<!DOCTYPE html>\n<html><body>Not found</body></html>", "html"),
        (b"\xef\xbb\xbf  <HTML lang='en'>", "html"),
        (b"<!-- cached --><html><head>", "html"),
        (b"<script>location='/login'</script>", "html"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'>", "svg"),
        (b"<svg width='10'>", "svg"),
        (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "xml"),
        (b'{"error": "gone"}', "json"),
        (b"%PDF-1.7\n", "pdf"),
        (b"PK\x03\x04rest", "zip"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "video"),
        (b"RIFF\x10\0\0\0AVI LIST", "video"),
        (b"BM is how this sentence begins", "text"),
        (b"P3 is a paper, and this is text", "text"),
        (b"plain words", "text"),
        (b"\xff\xfeh\0i\0", "text"),
        (b"\x13\x07\x9a\xfe\x01\x02", None),
    ],
)
def test_what_is_no_image_is_named(data, name):
    """Pages, documents, archives, videos, text and noise are told apart, and none passes for an image."""
    found = sniff(data)
    assert (found.format, found.is_image) == (name, False)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "avif"),
        (b"8BPS\0\1", "psd"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
        (b"DDS |\0\0\0", "dds"),
    ],
)
def test_images_of_other_formats_are_images(data, name):
    """A format without a decoder here is still an image, so that its reason can say so."""
    found = sniff(data)
    assert (found.format, found.is_image) == (name, True)
