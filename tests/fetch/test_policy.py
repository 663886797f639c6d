"""What each answer of a server means, decided without a network."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pycurl
import pytest

from curator.fetch.policy import (
    Answer,
    backoff_s,
    blames_host,
    is_eased,
    judge,
    opt_out,
    settings_behind,
)
from curator.manifests.settings import FetchSettings
from curator.reasons import RETRIED, Drop

ERRORS = {
    (pycurl.E_COULDNT_RESOLVE_HOST, ""): Drop.DNS,
    (pycurl.E_COULDNT_CONNECT, ""): Drop.REFUSED,
    (pycurl.E_OPERATION_TIMEDOUT, ""): Drop.TIMEOUT,
    (pycurl.E_RECV_ERROR, "Recv failure: Connection reset by peer"): Drop.RESET,
    (pycurl.E_RECV_ERROR, "Too large response headers: 307520 > 307200"): Drop.BAD_RESPONSE,
    (pycurl.E_RECV_ERROR, "chunk hex-length char not a hex digit: 0x7a"): Drop.BAD_RESPONSE,
    (pycurl.E_UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed"): Drop.BAD_RESPONSE,
    (pycurl.E_UNSUPPORTED_PROTOCOL, 'Protocol "ftp" disabled'): Drop.UNSUPPORTED_SCHEME,
    (pycurl.E_PARTIAL_FILE, ""): Drop.INCOMPLETE,
    (pycurl.E_PEER_FAILED_VERIFICATION, ""): Drop.TLS,
    (pycurl.E_FILESIZE_EXCEEDED, ""): Drop.TOO_MANY_BYTES,
    (pycurl.E_TOO_MANY_REDIRECTS, ""): Drop.REDIRECT_LOOP,
    (92, "HTTP/2 stream 1 was not closed cleanly"): Drop.RESET,
    (4242, "an error that is not known yet"): Drop.BAD_RESPONSE,
}


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_each_error_of_libcurl_has_its_reason(error):
    """A transfer that did not end well has no status, whatever part of an answer came."""
    verdict = judge(Answer(*error, http_status=200), honour_noai=True)
    assert (verdict.reason, verdict.http_status) == (ERRORS[error], None)


def test_a_connection_that_the_guard_refused_is_told_from_one_that_failed():
    """Both are the same error to libcurl."""
    answer = Answer(pycurl.E_COULDNT_CONNECT, refused_address="10.0.0.1")
    assert judge(answer, True).reason is Drop.PRIVATE_ADDRESS
    assert judge(answer, True).detail == "10.0.0.1"


STATUSES = {
    200: None, 203: None, 304: Drop.HTTP_ERROR, 400: Drop.HTTP_ERROR, 401: Drop.FORBIDDEN, 403: Drop.FORBIDDEN,
    404: Drop.GONE, 408: Drop.TIMEOUT, 410: Drop.GONE, 429: Drop.RATE_LIMITED, 451: Drop.FORBIDDEN,
    500: Drop.SERVER_ERROR, 503: Drop.SERVER_ERROR, 599: Drop.SERVER_ERROR, 999: Drop.HTTP_ERROR,
}  # fmt: skip


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_has_its_reason(status):
    """The status is kept as evidence."""
    verdict = judge(Answer(http_status=status), honour_noai=True)
    assert (verdict.reason, verdict.http_status) == (STATUSES[status], status)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"120", 120.0),
        (b" 0 ", 0.0),
        (b"Thu, 01 Jan 2026 00:01:30 GMT", 90.0),
        (b"Wed, 31 Dec 2025 23:00:00 GMT", 0.0),
        (b"soon", None),
        (b"-5", None),
        (b"", None),
        (b"\xb2", None),
        (b"9" * 400, float("inf")),
        (b"Thu, 01 Jan 99999999999999999999 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    """A date is measured from the server's clock, so that ours may be wrong."""
    headers = [b"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n", b"retry-after: " + value + b"\r\n"]
    assert judge(Answer(http_status=429, headers=headers), True).wait_s == seconds


def test_without_the_header_no_wait_is_asked():
    """No Retry-After is None, not zero."""
    headers = [b"Date: Thu, 01 Jan 2026 00:00:00 GMT"]
    assert judge(Answer(http_status=429, headers=headers), True).wait_s is None


@pytest.mark.parametrize(
    ("values", "directive"),
    [
        ([b"noai"], "noai"),
        ([b"noindex, NOIMAGEAI"], "noimageai"),
        ([b"noindex", b"noml"], "noml"),
        ([b"imageset-curator: noai"], "noai"),
        ([b"otherbot: noai"], None),
        ([b"otherbot: noindex", b"noai"], "noai"),
        ([b"unavailable_after: 25 Jun 2030 15:00:00 PST, noai"], "noai"),
        ([b"noindex, nofollow"], None),
        ([b"noairline"], None),
        ([], None),
    ],
)
def test_the_wish_not_to_be_used_for_ai_is_read(values, directive):
    """It counts where it speaks to all or to this program."""
    assert opt_out([b"X-Robots-Tag: " + value + b"\r\n" for value in values]) == directive


def test_the_wish_is_ignored_only_where_the_recipe_says_so():
    """honour_noai = false keeps the image."""
    answer = Answer(http_status=200, headers=[b"X-Robots-Tag: noai"])
    assert judge(answer, honour_noai=True).reason is Drop.OPTED_OUT
    assert judge(answer, honour_noai=False).reason is None


def test_backoff_grows_has_full_jitter_and_a_ceiling():
    """Between nothing and 1, 2, 4 … 60 seconds."""
    rng = random.Random(0)
    for tries, most in [(1, 1.0), (2, 2.0), (4, 8.0), (20, 60.0)]:
        waits = [backoff_s(tries, rng) for _ in range(300)]
        assert 0 <= min(waits) < 0.05 * most
        assert 0.95 * most < max(waits) <= most


@pytest.mark.parametrize("reason", Drop)
def test_only_what_may_pass_is_worth_requesting_again(reason):
    """What may pass by itself, a certificate that may be renewed, a decoder that died; not what is gone or no image."""
    assert (reason.traits.passes != "never") == (reason in RETRIED or reason in (Drop.TLS, Drop.DECODER_CRASHED))


CHANGES = {
    Drop.PRIVATE_ADDRESS: [("allow_private_hosts", False, True), ("proxy", "", "http://p.example:3128")],
    Drop.OPTED_OUT: [("honour_noai", True, False)],
    Drop.ROBOTS_DISALLOWED: [("robots", True, False)],
    Drop.TOO_MANY_BYTES: [("max_bytes", 1000, 1001)],
    Drop.TIMEOUT: [("timeout_s", 2.0, 3.0), ("proxy", "http://p.example", "")],
    Drop.FORBIDDEN: [("contact", "", "https://example.org/crawl")],
    Drop.RATE_LIMITED: [("contact", "a", "b"), ("delay_s", 0.0, 1.0), ("per_host", 8, 2)],
    Drop.DNS: [("proxy", "http://a.example", "http://b.example")],
}
CASES = [(reason, *change) for reason, changes in CHANGES.items() for change in changes]


@pytest.mark.parametrize(("reason", "name", "before", "now"), CASES)
def test_a_setting_lets_in_what_it_kept_out_in_one_direction(reason, name, before, now):
    """Not while it is as it was, nor if it is stricter; what a ledger does not say had its default."""
    was, changed = (replace(FetchSettings(), **{name: value}) for value in (before, now))
    recorded = settings_behind(was)[reason]
    assert is_eased(reason, recorded, changed)
    assert not is_eased(reason, recorded, was)
    is_either = name in ("contact", "proxy")
    assert is_eased(reason, settings_behind(changed)[reason], was) == is_either
    if before == getattr(FetchSettings(), name):
        assert is_eased(reason, None, changed)
        assert not is_eased(reason, None, was)


@pytest.mark.parametrize("reason", Drop)
def test_the_ledger_records_what_a_reason_depends_on_and_no_password(reason):
    """Those of [fetch], as they are; none for what depends on none."""
    fetch = FetchSettings(proxy="http://ann:secret@p.example:3128")
    recorded = settings_behind(fetch).get(reason)
    named = {name for name, _ in reason.traits.settings if hasattr(fetch, name)}
    assert set(json.loads(recorded or "{}")) == named
    assert "secret" not in (recorded or "")


def test_only_failures_of_the_host_are_blamed_on_it():
    """A 404 or a 500 says nothing about the next address; a 503 or a silent host does."""
    blamed = [blames_host(judge(Answer(http_status=status), True)) for status in (200, 404, 500, 502, 503, 429)]
    assert blamed == [False, False, False, True, True, True]
    assert blames_host(judge(Answer(pycurl.E_OPERATION_TIMEDOUT), True))
    assert not blames_host(judge(Answer(pycurl.E_FILESIZE_EXCEEDED), True))
