"""A decision follows its setting: what a setting dropped is decided anew once it has changed, in both directions."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from curator.fetch.plan import count_decided_anew
from curator.manifests.settings import FetchSettings, QualitySettings
from curator.reasons import Drop
from tests.ledger_file import query


def n_requests(shelf):
    """Requests made so far."""
    return query(shelf.paths.attempts, "SELECT count(*) FROM attempts WHERE asked")[0][0]


STRICT = {
    "too-many-bytes": ({"max_bytes": 1_500}, {"max_bytes": 25_000_000}, ("fine", "/a.jpg")),
    "opted-out": ({"honour_noai": True}, {"honour_noai": False}, ("opted-out", "/a.jpg")),
    "private-address": ({"allow_private_hosts": False}, {"allow_private_hosts": True}, ("fine", "/a.jpg")),
}
"""Reason to strict and easy settings, and an address that the one drops and the other lets in."""


@pytest.mark.parametrize("reason", STRICT)
def test_what_an_easier_setting_allows_is_requested_by_the_next_fetch(lab, shelf, listed, reasons, reason):
    """A plain one; nothing is requested while nothing has changed, nor once it is had."""
    strict, easy, fault = STRICT[reason]
    before, after = (replace(shelf.settings, **change) for change in (strict, easy))
    table = listed([lab.url(*fault), lab.url("status", "/404/b.jpg")])
    assert reasons(shelf.fetch(table, settings=before))[0] == reason
    n = n_requests(shelf)
    assert reasons(shelf.fetch(table, settings=before))[0] == reason
    assert n_requests(shelf) == n
    assert count_decided_anew(table, shelf.project(before)) == {}
    assert count_decided_anew(table, shelf.project(after)) == (
        {reason: 1} if strict != STRICT["private-address"][0] else {reason: 2}
    )
    assert reasons(shelf.fetch(table, settings=after)) == [None, "gone"]
    n = n_requests(shelf)
    assert reasons(shelf.fetch(table, settings=after)) == [None, "gone"]
    assert n_requests(shelf) == n


@pytest.mark.parametrize("reason", STRICT)
def test_what_is_stored_is_judged_by_a_stricter_setting_without_a_request(lab, shelf, listed, reasons, reason):
    """As if it had been fetched under it; and comes back with the easier one, its file never having left."""
    strict, easy, fault = STRICT[reason]
    before, after = (replace(shelf.settings, **change) for change in (easy, strict))
    table = listed([lab.url(*fault)])
    first = shelf.fetch(table, settings=before)
    assert reasons(first) == [None]
    stored, n = shelf.stored(), n_requests(shelf)
    dropped = shelf.fetch(table, settings=after)
    assert reasons(dropped) == [reason]
    assert dropped["drop_detail"].notna().all()
    assert shelf.fetch(table, settings=before).equals(first)
    assert (shelf.stored(), n_requests(shelf)) == (stored, n)


def test_robots_is_about_requests(lab, shelf, listed, reasons):
    """What robots.txt kept out is requested once nobody asks it; what is had stays when it is asked later."""
    table = listed([lab.url("robots-some", "/private/a.jpg")])
    polite = replace(shelf.settings, robots=True)
    assert reasons(shelf.fetch(table, settings=polite)) == ["robots-disallowed"]
    assert reasons(shelf.fetch(table)) == [None]
    n = n_requests(shelf)
    assert reasons(shelf.fetch(table, settings=polite)) == [None]
    assert n_requests(shelf) == n


def test_a_longer_timeout_tries_the_slow_ones_again(lab, shelf, listed, reasons):
    """As often as a failure that may pass is tried; a shorter one takes nothing away."""
    table = listed([lab.url("slow", "/a.jpg")])
    hasty = replace(shelf.settings, timeout_s=0.2)
    assert reasons(shelf.fetch(table, settings=hasty)) == ["timeout"]
    n = n_requests(shelf)
    assert reasons(shelf.fetch(table, settings=hasty)) == ["timeout"]
    assert n_requests(shelf) == n
    assert reasons(shelf.fetch(table, settings=replace(hasty, timeout_s=10.0))) == [None]
    assert reasons(shelf.fetch(table, settings=hasty)) == [None]


def test_more_retries_go_on_with_what_may_pass(lab, shelf, listed, reasons):
    """The tries that were made count."""
    table = listed([lab.url("status", "/500/a.jpg")])
    for retries in (0, 1, 1, 0, 2):
        shelf.fetch(table, settings=replace(shelf.settings, retries=retries))
    assert n_requests(shelf) == 3


@pytest.mark.parametrize("name", ["contact", "per_host", "delay_s"])
def test_another_way_to_ask_is_tried_on_those_who_refused(lab, shelf, listed, reasons, name):
    """A host that throttled is asked again if it is asked otherwise; one that forbade, if it is told who asks."""
    value = {"contact": "https://example.org/crawl", "per_host": 1, "delay_s": 0.05}[name]
    table = listed([lab.url("throttled", "/429/a.jpg"), lab.url("status", "/403/a.jpg"), lab.url("status", "/404/a")])
    once = replace(shelf.settings, retries=0)
    shelf.fetch(table, settings=once)
    shelf.fetch(table, settings=once)
    assert n_requests(shelf) == 3
    shelf.fetch(table, settings=replace(once, **{name: value}))
    shelf.fetch(table, settings=replace(once, **{name: value}))
    assert n_requests(shelf) == 3 + (2 if name == "contact" else 1)


def test_another_proxy_is_tried_on_what_the_first_could_not_reach(lab, shelf, listed, reasons):
    """A wrong one made each host fail."""
    table = listed([lab.url("fine", "/a.jpg")])
    wrong = replace(shelf.settings, proxy=lab.bases["refused"], retries=0)
    assert reasons(shelf.fetch(table, settings=wrong)) == ["refused"]
    assert reasons(shelf.fetch(table)) == [None]


def test_an_image_had_from_its_fallback_is_not_requested_for_another_contact(lab, shelf, listed, reasons):
    """It is not out."""
    table = listed([lab.url("status", "/403/a.jpg")], fallback_url=[lab.url("fine", "/b.jpg")])
    assert reasons(shelf.fetch(table)) == [None]
    assert count_decided_anew(table, shelf.project(replace(shelf.settings, contact="ann@example.org"))) == {}
    shelf.fetch(table, settings=replace(shelf.settings, contact="ann@example.org"))
    assert n_requests(shelf) == 2


def test_a_run_that_is_killed_amid_goes_on_with_what_was_to_be_decided_anew(lab, shelf, listed, reasons):
    """The plan marks it in the ledger before the first request."""
    from curator.fetch.ledger.ledger import Ledger
    from curator.fetch.plan import FetchOptions, make_plan
    from curator.fetch.row_addresses import parse_rows

    table = listed([lab.url("status", f"/503/{n}.jpg") for n in range(3)])
    once = replace(shelf.settings, retries=0)
    shelf.fetch(table, settings=replace(once, proxy=lab.bases["refused"]))
    with Ledger(shelf.paths.attempts) as ledger:
        plan = make_plan(table, parse_rows(table), ledger, shelf.project(once), FetchOptions())
        assert len(plan.requests) == 3
        again = make_plan(table, parse_rows(table), ledger, shelf.project(once), FetchOptions())
        assert len(again.requests) == 3
        assert again.tries.tolist() == [0, 0, 0]


def test_quality_is_judged_anew_in_both_directions_without_a_request(lab, shelf, listed, reasons):
    """max_pixels looks at the stored file once more; the catalog of min_side and max_aspect needs not even that."""
    table = listed([lab.url("fine", "/a.jpg")])
    small = QualitySettings(max_pixels=1000)
    for quality, reason in ((None, None), (small, "too-many-pixels"), (None, None), (small, "too-many-pixels")):
        assert reasons(shelf.fetch(table, quality=quality)) == [reason]
    assert n_requests(shelf) == 1
    assert count_decided_anew(table, shelf.project()) == {"observed again": 1}


@pytest.mark.parametrize("kind", ["larger", "readable"])
def test_a_local_file_is_read_anew_once_it_may_be(tmp_path, shelf, listed, reasons, lab_photo, kind):
    """After a larger max_bytes, and after its permissions were corrected: the file has not changed, nor its time."""
    if kind == "readable" and os.geteuid() == 0:
        pytest.skip("root reads everything")
    file = tmp_path / "photo.jpg"
    file.write_bytes(lab_photo)
    table = listed([None], local_path=[str(file)])
    file.chmod(0o000 if kind == "readable" else 0o644)
    strict = replace(shelf.settings, max_bytes=1_000)
    assert reasons(shelf.fetch(table, settings=strict if kind == "larger" else None)) == [
        "too-many-bytes" if kind == "larger" else "file-missing"
    ]
    file.chmod(0o644)
    assert reasons(shelf.fetch(table)) == [None]
    assert reasons(shelf.fetch(table, settings=strict)) == ["too-many-bytes"]


def test_a_ledger_that_does_not_say_is_taken_to_be_of_the_defaults(lab, shelf, listed, reasons):
    """One of an earlier version."""
    table = listed([lab.url("announced-too-large", "/a.jpg"), lab.url("opted-out", "/b.jpg")])
    shelf.fetch(table)
    query(shelf.paths.attempts, "UPDATE attempts SET settings = NULL")
    defaults = FetchSettings(allow_private_hosts=True)
    assert count_decided_anew(table, shelf.project(defaults)) == {}
    larger = replace(defaults, max_bytes=defaults.max_bytes + 1, honour_noai=False)
    assert count_decided_anew(table, shelf.project(larger)) == {Drop.OPTED_OUT: 1, Drop.TOO_MANY_BYTES: 1}
