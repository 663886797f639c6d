"""What a process replies that a decoder has been broken in is read for what it is, or refused, by kind and range."""

from __future__ import annotations

import pytest

from curator.observe.observation import look_at
from curator.observe.workers.replies import decode_sighting, encode_sighting, read_values
from tests.observe.drawings import draw, encode

SEEN = look_at(encode(draw(120, 90), "JPEG"), max_pixels=1_000_000)


@pytest.mark.parametrize("data", [b"", b"<html>", encode(draw(9, 9), "PNG"), encode(draw(120, 90), "JPEG")[:900]])
def test_what_an_honest_process_replies_is_read_as_it_was(data):
    """Images, broken ones, and what is none."""
    sighting = look_at(data, max_pixels=1_000_000)
    assert decode_sighting(*encode_sighting(sighting)) == sighting


@pytest.mark.parametrize(
    "lie",
    [
        {"sha256": "zz"}, {"sha256": "../" * 21 + "a"}, {"sha256": None}, {"sha256": 7}, {"sha1": "0"},
        {"n_bytes": "many"}, {"n_bytes": -1}, {"n_bytes": 1 << 64}, {"n_bytes": True}, {"n_bytes": 1.5},
        {"width": 1 << 31}, {"width": 0}, {"height": None}, {"orientation": 9}, {"n_frames": []}, {"well_formed": 1},
        {"format": None}, {"format": "a" * 300}, {"format": "../a"}, {"mode": {}}, {"camera": "\ud800"},
        {"taken": "yesterday"}, {"taken": "2024-13-01T00:00:00"}, {"flaw": "nonsense"}, {"flaw": "near-duplicate"},
        {"flaw": ["corrupt"]}, {"flaw_detail": 7}, {"phash": 7}, {"thumbnail": "a"}, {"self": 1},
    ],
    ids=str,
)  # fmt: skip
def test_no_fact_of_another_kind_or_range_is_read(lie):
    """Each would end the run later, in a table or in the ledger."""
    values, luma = encode_sighting(SEEN)
    assert decode_sighting(values, luma) == SEEN
    with pytest.raises(ValueError, match=r"\S"):
        decode_sighting(values | lie, luma)


@pytest.mark.parametrize("n_bytes", [0, 5, 1023, 1025])
def test_a_picture_has_a_luma_of_its_size(n_bytes):
    """A usable image without one would have no hash."""
    with pytest.raises(ValueError, match=r"luma|nothing was seen"):
        decode_sighting(encode_sighting(SEEN)[0], bytes(n_bytes))


@pytest.mark.parametrize(
    "reply",
    [
        b"", b"[]", b"7", b"null", b"[" * 100_000, b"\xff", b'{"observation": []}', b'{"temporary": 7}', b'{"disk": 7}',
        b'{"errno": "x"}', b'{"unreadable": null}', b'{"unreadable": "\\ud800"}', b'{"other": 1}', b'{"size": 7}',
        b'{"size": [1]}', b'{"size": [-1, 1]}',
        b"9" * 10_000,
    ],
    ids=lambda reply: reply[:24],
)  # fmt: skip
def test_no_value_of_another_kind_is_read(reply):
    """Nor what is no JSON, or so deep that no reader comes to its end."""
    with pytest.raises(ValueError, match=r"\S"):
        read_values(reply)


def test_what_is_nearly_too_deep_is_refused_too():
    """It is read, and must not be printed."""
    for depth in range(800, 1000):
        nested = b"[" * depth + b"]" * depth
        with pytest.raises(ValueError, match="no process replies"):
            read_values(b'{"disk": %s}' % nested)
        with pytest.raises(ValueError, match="no process replies"):
            decode_sighting(read_values(b'{"observation": {"sha256": %s}}' % nested)["observation"], b"")
