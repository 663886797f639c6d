"""What a server encodes is undone, with a limit on what comes out; what it only calls encoded is left as it is."""

from __future__ import annotations

import gzip
import hashlib
import random
import zlib
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.fetch.network.content_coding import MOST_CODINGS, CodingError, codings_of, undo
from curator.reasons import Drop

LAB_FOLDER = Path(__file__).parents[2] / "fault_lab"
PICTURE = b"\xff\xd8\xff\xe0" + random.Random(0).randbytes(200_000)
CODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: pa.Codec("brotli").compress(data, asbytes=True),
    "zstd": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
}


def encode(body, codings):
    """Apply the codings in their order."""
    for coding in codings:
        body = CODERS[coding](body)
    return body


@given(st.binary(max_size=3000), st.lists(st.sampled_from(sorted(CODERS)), min_size=1, max_size=MOST_CODINGS))
def test_every_chain_of_encodings_is_undone(body, codings):
    """Whatever the content."""
    assert undo(encode(body, codings), codings, 10_000) == body


@pytest.mark.parametrize("coding", CODERS)
@pytest.mark.parametrize(
    "body", [PICTURE, b"<html>no</html>", b"http://h.example/1.jpg\n" * 20], ids=["jpeg", "html", "text"]
)
def test_a_body_that_is_only_called_encoded_is_left_as_it_is(coding, body):
    """A picture, a page and a list are known by their bytes."""
    assert undo(body, (coding,), len(body)) == body


@pytest.mark.parametrize("coding", CODERS)
def test_exactly_max_bytes_may_come_out_of_it(coding):
    """One byte more is too many."""
    packed = encode(PICTURE, [coding])
    assert undo(packed, (coding,), len(PICTURE)) == PICTURE
    with pytest.raises(CodingError) as raised:
        undo(packed, (coding,), len(PICTURE) - 1)
    assert raised.value.reason is Drop.TOO_MANY_BYTES


@pytest.mark.parametrize("codings", [["gzip"], ["br"], ["zstd"], ["gzip", "gzip"], ["deflate", "br"]], ids="-".join)
def test_a_bomb_ends_early_in_little_memory(codings):
    """64 MB of zeros is never in memory, in no layer."""
    import tracemalloc

    body = encode(bytes(1 << 26), codings)
    tracemalloc.start()
    with pytest.raises(CodingError) as raised:
        undo(body, codings, 1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert raised.value.reason is Drop.TOO_MANY_BYTES
    assert peak < 4_000_000


def test_layers_that_shrink_again_have_the_same_limit():
    """Ten megabytes of empty gzip members, packed into little, hold nothing, and are too many bytes all the same."""
    body = gzip.compress(gzip.compress(b"") * 500_000)
    with pytest.raises(CodingError) as raised:
        undo(body, ("gzip", "gzip"), 1_000_000)
    assert raised.value.reason is Drop.TOO_MANY_BYTES


@pytest.mark.parametrize("coding", CODERS)
@pytest.mark.parametrize("length", [1, 2, 3, 10, 5000, -1])
def test_a_body_that_ends_early_is_incomplete(coding, length):
    """Wherever it ends."""
    with pytest.raises(CodingError) as raised:
        undo(encode(PICTURE, [coding])[:length], (coding,), 1 << 20)
    assert raised.value.reason is Drop.INCOMPLETE


def test_members_one_after_the_other_are_one_content_and_what_follows_is_nobodys():
    """As gzip reads it."""
    packed = gzip.compress(PICTURE[:1000]) + gzip.compress(PICTURE[1000:])
    assert undo(packed + bytes(7), ("gzip",), 1 << 20) == PICTURE
    assert undo(zlib.compress(PICTURE) + b"more", ("deflate",), 1 << 20) == PICTURE


def test_too_many_layers_are_refused():
    """So that no head makes work without end."""
    with pytest.raises(CodingError, match="6 content encodings"):
        undo(encode(b"x", ["gzip"] * 6), ["gzip"] * 6, 100)


@pytest.mark.parametrize(
    ("lines", "codings"),
    [
        ([b"Content-Encoding: GZIP"], ("gzip",)),
        ([b"content-encoding:x-gzip ,\tBr"], ("gzip", "br")),
        ([b"Content-Encoding: deflate", b"Content-Encoding: zstd"], ("deflate", "zstd")),
        ([b"Content-Encoding: identity", b"Content-Encoding:"], ()),
        ([b"Content-Encodings: gzip", b"X: Content-Encoding: gzip"], ()),
        ([b"Content-Encoding: \xff"], ("\xff",)),
    ],
)
def test_the_head_names_the_encodings(lines, codings):
    """In any case, on any number of lines."""
    assert codings_of([b"HTTP/1.1 200 OK\r\n", *(line + b"\r\n" for line in lines), b"\r\n"]) == codings


FETCHED = {
    **{f"{name}/whole": None for name in ("gzip", "GZip", "x-gzip", "deflate", "raw-deflate", "br", "zstd")},
    **{f"{chain}/whole": None for chain in ("gzip,br", "br, gzip", "gzip,gzip", "identity", "gzip;zstd", "utf-8,br")},
    **{f"{name}/plain": None for name in ("gzip", "deflate", "br", "zstd", "utf-8", "none", "aes128gcm", "br,gzip")},
    **{f"{name}/cut": Drop.INCOMPLETE for name in ("gzip", "deflate", "raw-deflate", "br", "zstd", "gzip,br")},
    **{f"{name}/headless": Drop.BAD_RESPONSE for name in ("gzip", "deflate", "zstd")},
    "gzip/damaged": Drop.BAD_RESPONSE,
    **{f"{name}/bomb": Drop.TOO_MANY_BYTES for name in ("gzip", "deflate", "br", "zstd", "gzip,gzip")},
    **{f"{name}/page": Drop.NOT_AN_IMAGE for name in ("gzip", "br")},
    "gzip,gzip,gzip,gzip,gzip,gzip/whole": Drop.BAD_RESPONSE,
    "compress/whole": None,
}


def test_images_come_out_of_every_encoding(lab, shelf, listed, reasons, photo_of):
    """Each with its reason; what is stored is what was encoded."""
    urls = [lab.url("encoded", f"/{way.replace(' ', '%20')}/a.jpg") for way in FETCHED]
    table = shelf.fetch(listed([*urls, lab.url("says-encoding")]), settings=replace(shelf.settings, timeout_s=20))
    assert dict(zip(FETCHED, reasons(table), strict=False)) == FETCHED
    assert reasons(table)[-1] is None
    kept = table[table["drop_reason"].isna().to_numpy(dtype=bool)].iloc[:-1]
    for url, sha256 in zip(kept["url"], kept["sha256"], strict=True):
        assert hashlib.sha256(photo_of(url)).hexdigest() == sha256
    cut = table.set_index("url").loc[lab.url("encoded", "/gzip/cut/a.jpg")]
    assert cut["drop_detail"] == "its gzip ends early"


def test_the_limit_counts_what_comes_out(lab, shelf, listed, reasons, photo_of):
    """At exactly ``max_bytes`` a picture is kept, however it came."""
    urls = [lab.url("encoded", f"/{name}/whole/a.jpg") for name in ("gzip", "br", "identity")]
    sizes = [len(photo_of(url)) for url in urls]
    table = shelf.fetch(listed(urls), settings=replace(shelf.settings, max_bytes=sizes[0]))
    assert reasons(table) == [None if size <= sizes[0] else "too-many-bytes" for size in sizes]


def test_rules_are_read_out_of_an_encoded_robots_txt(lab, shelf, listed, reasons):
    """Though it is longer than what is read of one."""
    urls = [lab.url("robots-gzip", path) for path in ("/private/a.jpg", "/a.jpg")]
    table = shelf.fetch(listed(urls), settings=replace(shelf.settings, robots=True))
    assert reasons(table) == ["robots-disallowed", None]


@pytest.fixture
def photo_of(lab):
    """Give the picture that the lab encodes under an address."""
    import sys

    sys.path.insert(0, str(LAB_FOLDER))
    try:
        from pictures import photo
    finally:
        sys.path.remove(str(LAB_FOLDER))
    return lambda url: photo("/" + url.split("/", 3)[3])
