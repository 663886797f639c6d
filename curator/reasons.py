"""The stages of a data set and the reasons why an image is out: importable without pandas, so that workers start fast.

>>> Drop("gone") is Drop.GONE, list(Stage)[0].value
(True, 'listed')
"""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """The stages of a data set's life, in order."""

    LISTED = "listed"
    FETCHED = "fetched"
    DEDUPED = "deduped"
    BALANCED = "balanced"
    SPLIT = "split"


class Drop(StrEnum):
    """Why an image is out. The comment says what its evidence is (in ``drop_detail`` and the columns named)."""

    # fetch: the network's answer
    BEYOND_TARGET = "beyond-target"  # the label had its target of images before this one's turn
    UNSUPPORTED_SCHEME = "unsupported-scheme"  # neither http nor https
    PRIVATE_ADDRESS = "private-address"  # the host resolved to a loopback, private or link-local address
    DNS = "dns"  # the host name did not resolve
    REFUSED = "refused"  # nobody listens there, or no route
    RESET = "reset"  # the connection broke before the end
    TIMEOUT = "timeout"  # no answer, or not all of it, in time
    TLS = "tls"  # certificate wrong or expired, or no common protocol
    MALFORMED_URL = "malformed-url"  # no address that could be asked
    REDIRECT_LOOP = "redirect-loop"  # too many redirects
    BAD_RESPONSE = "bad-response"  # not HTTP, or HTTP that contradicts itself
    INCOMPLETE = "incomplete"  # fewer bytes than the server announced
    GONE = "gone"  # http_status 404 or 410
    FORBIDDEN = "forbidden"  # http_status 401, 403 or 451
    RATE_LIMITED = "rate-limited"  # http_status 429
    SERVER_ERROR = "server-error"  # http_status 5xx
    HTTP_ERROR = "http-error"  # any other http_status that is not a success
    OPTED_OUT = "opted-out"  # X-Robots-Tag: noai, noimageai or noml
    ROBOTS_DISALLOWED = "robots-disallowed"  # the host's robots.txt; asked only where the recipe says robots = true
    TOO_MANY_BYTES = "too-many-bytes"  # larger than max_bytes
    CHANGED = "changed"  # a replay: the address serves other bytes than the manifest says
    FORGOTTEN = "forgotten"  # taken out for good by `curator forget`; not asked for, not stored
    FILE_MISSING = "file-missing"  # a local file that cannot be read
    # observe: what the bytes are
    EMPTY = "empty"  # no bytes at all
    NOT_AN_IMAGE = "not-an-image"  # HTML, JSON, PDF, SVG, text …; drop_detail says which
    UNSUPPORTED_FORMAT = "unsupported-format"  # an image that no decoder here opens
    TOO_MANY_PIXELS = "too-many-pixels"  # a bomb, or simply larger than max_pixels; never decoded
    TRUNCATED = "truncated"  # the file ends before the picture does
    CORRUPT = "corrupt"  # the decoder gave up
    DECODER_CRASHED = "decoder-crashed"  # the decoder's process died or ran out of time or memory
    # quality
    PLACEHOLDER = "placeholder"  # a known 'photo unavailable' picture
    TOO_SMALL = "too-small"  # shorter side under min_side
    EXTREME_ASPECT = "extreme-aspect"  # longer side over max_aspect times the shorter
    # dedupe
    REVIEWED_OUT = "reviewed-out"  # a person said so: drop_detail holds who, when and why
    PLACEHOLDER_SUSPECTED = "placeholder-suspected"  # drop_detail: alike at how many addresses of which host
    ALREADY_ELSEWHERE = (
        "already-elsewhere"  # another data set has it: distance_bits, turn; drop_detail says which image
    )
    EXACT_DUPLICATE = "exact-duplicate"  # duplicate_of holds the same bytes
    NEAR_DUPLICATE = "near-duplicate"  # duplicate_of, distance_bits, turn
    LABEL_CONFLICT = "label-conflict"  # the same picture under another label: duplicate_of, distance_bits, turn
    # balance and split
    STRADDLES_SPLIT = "straddles-split"  # a newcomer that belongs with images of both sides of an earlier split
    SURPLUS = "surplus"  # more than per_class


SPLITS = ("train", "test")
