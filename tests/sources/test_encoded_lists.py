"""A list that its server encodes is read as what was encoded, over cut connections and at any size."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zlib

import pyarrow as pa
import pytest

from curator.errors import SourceError
from curator.sources.reading.read import read_place
from tests.sources.conftest import Page

LIST = "".join(f"http://h.example/{random.Random(n).random()}.jpg\n" for n in range(20_000)).encode()
CODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: pa.Codec("brotli").compress(data, asbytes=True),
    "ZSTD": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
    "gzip, br": lambda data: pa.Codec("brotli").compress(gzip.compress(data), asbytes=True),
    "utf-8": bytes,
    "identity": bytes,
}


def read(place, context, **options):
    """Read a place's bytes."""
    return read_place(place, lambda stream: stream.read(), context, **options)


@pytest.mark.parametrize("coding", CODERS)
def test_an_encoded_list_is_read(server, context, coding):
    """Every encoding, and a name that is none."""
    assert read(server.serve("/list.txt", CODERS[coding](LIST), coding=coding), context) == LIST


@pytest.mark.parametrize("coding", ["gzip", "br", "ZSTD"])
def test_a_cut_connection_is_resumed_amid_the_encoding(server, context, coding):
    """``Range`` counts the bytes as they are sent."""
    packed = CODERS[coding](LIST)
    place = server.serve("/list.txt", packed, coding=coding, cuts=[len(packed) // 3, len(packed) // 3])
    assert read(place, context) == LIST
    assert server.requests[1][2]["Range"] == f"bytes={len(packed) // 3}-"


def test_a_list_that_is_encoded_otherwise_after_a_cut_is_read_anew(server, context):
    """What was read until then belongs to other bytes, though the entity tag is the same."""
    packed = CODERS["br"](LIST)
    place = server.serve("/list.txt", packed, coding="br", cuts=[10_000])
    answer = Page(gzip.compress(LIST), coding="gzip")
    pages = server.pages

    class Changing(dict):
        def get(self, path):
            page = super().get(path)
            self[path] = answer
            return page

    server.pages = Changing(pages)
    assert read(place, context) == LIST


def packed_tar():
    """A gzipped tar of one list."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("list.txt")
        member.size = len(LIST)
        archive.addfile(member, io.BytesIO(LIST))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(LIST), ""),  # a file that is gzip
        (gzip.compress(LIST), "gzip"),  # the same, called encoded by a server that goes by its ending
        (gzip.compress(gzip.compress(LIST)), "gzip"),  # and one that is encoded indeed
        (zlib.compress(gzip.compress(LIST)), "deflate"),
        (gzip.compress(LIST), "br"),  # and one that is not
        (LIST, "gzip"),
        (LIST, "br"),
        (packed_tar(), "x-gzip"),
        (gzip.compress(packed_tar()), "gzip"),
    ],
)
def test_a_file_that_is_packed_itself_is_read_whatever_its_server_calls_it(server, context, body, coding):
    """The bytes decide."""
    assert read(server.serve("/list.csv.gz", body, coding=coding), context) == LIST


def cut(data):
    return data[:-9]


def damage(data):
    return data[:99] + bytes(40) + data[139:]


@pytest.mark.parametrize(
    ("coding", "spoilt"), [*((name, cut) for name in ("gzip", "deflate", "br", "ZSTD")), ("gzip", damage)]
)
def test_a_list_whose_encoding_is_cut_or_damaged_is_an_error(server, context, coding, spoilt):
    """It is never taken for a shorter list."""
    with pytest.raises(SourceError, match=r"could not be read \(its .* (ends early|is damaged)\)"):
        read(server.serve("/list.txt", spoilt(CODERS[coding](LIST)), coding=coding), context)


@pytest.mark.parametrize("coding", ["gzip", "br", "ZSTD"])
def test_more_than_a_list_can_hold_ends_early(server, context, coding):
    """Zeros take no room as they are sent."""
    with pytest.raises(SourceError, match="more than such a list can hold"):
        read(server.serve("/list.txt", CODERS[coding](bytes(1 << 24)), coding=coding), context, max_bytes=1 << 20)
