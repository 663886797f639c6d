"""A page is named only to a host that refused without it, only as far as it leaks nothing, and no more than helps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from curator.fetch.ledger.history import attempts_of
from curator.fetch.policy import Verdict
from curator.fetch.politeness.referers import MOST_IN_VAIN, Referers, referer_for
from curator.reasons import Drop
from tests.ledger_file import query

PAGE = "http://photos.example/p/1"


@pytest.mark.parametrize(
    ("page", "url", "referer"),
    [
        (PAGE, "http://h.example/1.jpg", PAGE),
        (PAGE, "https://h.example/1.jpg", PAGE),
        (PAGE + "#top", "http://h.example/1.jpg", PAGE),
        ("https://photos.example/p", "https://h.example/1.jpg", "https://photos.example/p"),
        ("https://photos.example/p", "http://h.example/1.jpg", ""),
        ("HTTPS://photos.example/p", "http://h.example/1.jpg", ""),
        ("http://ann:secret@photos.example/p", "http://h.example/1.jpg", ""),
        ("http://10.0.0.7/p", "http://h.example/1.jpg", ""),
        ("http://localhost/p", "http://h.example/1.jpg", ""),
        ("http://127.1:8080/p", "http://h.example/1.jpg", ""),
        ("file:///home/ann/p.html", "http://h.example/1.jpg", ""),
        ("javascript:alert(1)", "http://h.example/1.jpg", ""),
        ("photos.example/p", "http://h.example/1.jpg", ""),
        ("http://[::1", "http://h.example/1.jpg", ""),
        ("http:///p", "http://h.example/1.jpg", ""),
        (
            "http://photos.example/p\r\nX-Injected: yes",
            "http://h.example/1.jpg",
            "http://photos.example/pX-Injected:%20yes",
        ),
        ("http://photos.example/fünf", "http://h.example/1.jpg", "http://photos.example/f%C3%BCnf"),
        ("http://photos.example/" + "x" * 3000, "http://h.example/1.jpg", ""),
    ],
)
def test_what_is_named_leaks_nothing(page, url, referer):
    """No password, no private host, no https page to http, no header of its own."""
    assert referer_for(page, url, may_be_private=False) == referer


def test_a_host_that_refuses_all_the_same_is_left_alone():
    """After a few requests in vain no second one is made."""
    referers, refused = Referers(lambda task: PAGE, (), False), Verdict(Drop.FORBIDDEN, "HTTP 403", 403)
    tried = []
    for task in range(10):
        again = referers.is_worth_another(task, "h", "http://h/1", "", refused)
        tried.append(again)
        if again:
            assert referers.choose(task, "h", "http://h/1") == PAGE
            assert not referers.is_worth_another(task, "h", "http://h/1", PAGE, refused)
    assert tried == [True] * MOST_IN_VAIN + [False] * (10 - MOST_IN_VAIN)


def attempts(shelf):
    """Each request's status and page, in their order."""
    return query(shelf.paths.attempts, "SELECT http_status, referer, superseded FROM attempts ORDER BY id")


def test_a_second_try_names_the_page_and_the_next_ones_name_it_at_once(lab, shelf, listed, reasons):
    """One request more for the whole host, in this run and the next; each image names its own page."""
    urls = [lab.url("wants-page", f"/{n}.jpg?{PAGE}{n}") for n in range(6)]
    pages = [f"{PAGE}{n}" for n in range(6)]
    one = replace(shelf.settings, per_host=1, connections=1)
    assert set(reasons(shelf.fetch(listed(urls[:4], landing_url=pages[:4]), settings=one))) == {None}
    assert attempts(shelf)[0] == (403, None, 1)
    assert sorted(attempts(shelf)[1:]) == [(200, page, 0) for page in pages[:4]]
    assert set(reasons(shelf.fetch(listed(urls, landing_url=pages)))) == {None}
    assert len(attempts(shelf)) == 7
    told = [attempts_of(shelf.paths, [url]) for url in urls]
    outcomes = sorted([(one["outcome"], one["referer"] is not None) for one in each] for each in told)
    assert outcomes == [[("forbidden", False), ("ok", True)]] + [[("ok", True)]] * 5


def test_who_has_no_page_is_refused_as_before(lab, shelf, listed, reasons):
    """One request, and the reason that the host gave."""
    urls = [lab.url("wants-page", f"/{n}.jpg") for n in range(3)]
    table = shelf.fetch(listed(urls, landing_url=[None, "https://photos.example/p", "http://ann:b@photos.example/p"]))
    assert reasons(table) == ["forbidden"] * 3
    assert attempts(shelf) == [(403, None, 0)] * 3


def test_a_host_that_never_refuses_hears_of_no_page(lab, shelf, listed, reasons):
    """The page is nobody's business, whatever the handle was used for before."""
    urls = [lab.url("wants-page", f"/{n}.jpg") for n in range(5)] + [lab.url("status", "/404/a.jpg")]
    urls += [lab.url("wants-no-page", f"/{n}.jpg") for n in range(5)]
    one = replace(shelf.settings, per_host=1, connections=1)
    table = shelf.fetch(listed(urls, landing_url=[PAGE] * 11), settings=one)
    assert sorted(map(str, reasons(table))) == ["None"] * 10 + ["gone"]
    assert sum(referer is not None for _, referer, _ in attempts(shelf)) == 5


def test_a_refusal_in_spite_of_the_page_goes_on_to_the_fallback(lab, shelf, listed, reasons):
    """The page is tried at the fallback address, too."""
    urls, fallbacks = [lab.url("status", "/403/a.jpg")], [lab.url("wants-page", "/a.jpg")]
    table = shelf.fetch(listed(urls, fallback_url=fallbacks, landing_url=[PAGE]))
    assert reasons(table) == [None]
    assert table["from_fallback"].tolist() == [True]
    assert [status for status, _, _ in attempts(shelf)] == [403, 403, 403, 200]


def test_a_run_that_is_settled_requests_nothing_more(lab, shelf, listed, reasons):
    """What was refused with the page stays refused."""
    table = listed([lab.url("status", "/403/a.jpg")], landing_url=[PAGE])
    assert reasons(shelf.fetch(table)) == ["forbidden"]
    n = len(attempts(shelf))
    assert reasons(shelf.fetch(table)) == ["forbidden"]
    assert len(attempts(shelf)) == n == 2


def test_a_page_of_https_is_not_told_to_http_by_a_redirect(lab, shelf, listed, monkeypatch):
    """The redirect is not followed; the request is made without the page instead."""
    from pathlib import Path

    from curator.fetch.network.libcurl import pycurl
    from curator.fetch.network.transfer import Transfer

    authority = Path(__file__).parents[2] / "fault_lab" / "tls" / "authority.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    page = "https://photos.example/p"
    transfer = Transfer(shelf.settings)
    set_to = []
    transfer.handle = type("Handle", (), {"setopt": lambda self, *pair: set_to.append(pair)})()
    transfer.begin(0, "https://h.example/1.jpg", 0.0, page)
    assert (pycurl.REDIR_PROTOCOLS, pycurl.PROTO_HTTPS) in set_to
    set_to.clear()
    transfer.begin(1, "https://h.example/1.jpg", 0.0)
    assert not any("Referer" in line for option, lines in set_to if option == pycurl.HTTPHEADER for line in lines)
    assert (pycurl.REDIR_PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS) in set_to
    referers = Referers(lambda task: page, ["h"], False)
    url = "https://h.example/1.jpg"
    assert referers.choose(0, "h", url) == page
    assert referers.is_worth_another(0, "h", url, page, Verdict(Drop.UNSUPPORTED_SCHEME))
    assert referers.choose(0, "h", url) == ""
