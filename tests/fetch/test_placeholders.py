"""'Photo unavailable' pictures, known and unknown, from the server to the reason in the catalog."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator import catalog
from curator.decide.placeholders import drop_suspected_placeholders
from curator.fetch.outcomes import with_pictures
from curator.reasons import Drop

PLACEHOLDERS = Path(__file__).parents[2] / "../shared/placeholders"


@pytest.mark.real
@pytest.mark.skipif(not PLACEHOLDERS.is_dir(), reason="needs ../shared")
@pytest.mark.parametrize("name", ["flickr.png", "flickr.gif"])
def test_flickrs_pictures_are_known_however_they_are_reached(lab, listed, shelf, reasons, name):
    """Served with status 200 as JPEG, or behind a redirect from the photo's address: dropped, and named."""
    there = lab.url("picture", f"/{name}")
    urls = [there, lab.url("redirect-elsewhere", f"/?{there}")]
    table = shelf.fetch(listed(urls))
    assert reasons(table) == [Drop.PLACEHOLDER] * 2
    assert table["drop_detail"].tolist() == [f"Flickr's 'photo unavailable' {name[-3:].upper()}"] * 2


@pytest.mark.parametrize("fault", ["same", "stamped"])
def test_a_picture_that_no_list_holds_is_suspected_when_many_addresses_serve_it(lab, listed, shelf, reasons, fault):
    """The same bytes, or the same drawing in bytes that differ: none of it is kept, and the host's photos are."""
    dead = [lab.url(fault, f"/{n}{n}.jpg") for n in range(4)]
    fine = [lab.url("fine", f"/beside-{fault}-{n}.jpg") for n in range(4)]
    fetched = shelf.fetch(listed([*dead, *fine]))
    assert reasons(fetched) == [None] * 8
    (group,) = with_pictures(fetched, shelf.paths)
    assert (
        reasons(drop_suspected_placeholders(catalog.from_arrow(group))) == [Drop.PLACEHOLDER_SUSPECTED] * 4 + [None] * 4
    )
    assert fetched["sha256"][:4].nunique() == (1 if fault == "same" else 4)


def test_two_addresses_of_one_picture_are_no_placeholder(lab, listed, shelf, reasons):
    """People do upload a picture twice."""
    fetched = shelf.fetch(listed([lab.url("same", f"/{n}.jpg") for n in range(2)]))
    assert reasons(drop_suspected_placeholders(fetched)) == [None] * 2
