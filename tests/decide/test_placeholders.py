"""Suspected placeholders: what counts as alike, as one host family, as unrelated; and who goes before whom."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from curator.addresses import host_families, host_family
from curator.catalog import Drop, is_kept
from curator.decide.placeholders import LOW_DETAIL, drop_suspected_placeholders
from tests.decide.rows import by_id, make_table, sha256, shuffled
from tests.fuzz.rounds import examples

FLICKR = (
    "http://farm3.static.flickr.com/12/{}.jpg",
    "http://live.staticflickr.com/9/{}.jpg",
    "https://flickr.com/{}.jpg",
)
SAME = sha256("unavailable")


def listed(urls, **more):
    """Rows of one picture, under the names that a source gives; ``more`` goes into each."""
    return [
        {"url": url, "source_id": f"n1_{n}", "kind": "imagenet", "sha256": SAME, "phash": 7, "detail": 60.0} | more
        for n, url in enumerate(urls)
    ]


def suspects(rows, protected=None):
    """Which rows are dropped as suspected placeholders."""
    table = drop_suspected_placeholders(make_table(rows), protected)
    return (table["drop_reason"] == Drop.PLACEHOLDER_SUSPECTED).fillna(False).tolist()


def unrelated(n=3):
    """``n`` unrelated addresses of Flickr, under its several names."""
    return [FLICKR[k % 3].format(f"{k}10{k}_ab") for k in range(n)]


def test_the_same_bytes_at_three_unrelated_addresses_are_dropped_all_of_them():
    """Under several names of one host family; stage, reason and evidence are told, and no other row is touched."""
    rows = [*listed(unrelated()), {"url": "http://flickr.com/1.jpg", "sha256": sha256("a photo")}]
    table = drop_suspected_placeholders(make_table(rows))
    assert table["drop_reason"].fillna("").tolist() == [*["placeholder-suspected"] * 3, ""]
    assert set(table["drop_stage"].dropna()) == {"deduped"}
    assert set(table["drop_detail"].dropna()) == {"same bytes as 3 unrelated addresses of flickr.com"}


def test_two_addresses_are_not_enough():
    """A photo may well be listed twice."""
    assert not any(suspects(listed(unrelated(2))))


def test_three_hosts_are_not_one():
    """A picture that three unrelated sites show is a popular photo."""
    assert not any(suspects(listed([f"http://site{n}.example/{n}.jpg" for n in range(3)])))
    assert not any(suspects(listed([f"http://{who}.blogspot.com/{who}.jpg" for who in ("ann", "bob", "eve")])))


@pytest.mark.parametrize(
    ("urls", "more"),
    [
        (["http://a.example/1/x.jpg", "http://b.a.example/2/x.jpg", "http://a.example/3/x.jpg"], {}),
        (["http://a.example/1/x.jpg", "http://a.example/1/x.jpg", "http://a.example/1/x.jpg"], {}),
        (["http://a.example/1.jpg", "http://a.example/2.jpg", "http://a.example/3.jpg"], {"source_id": "0a1b"}),
        ([f"http://farm{n}.static.flickr.com/{n}/2345_{size}.jpg" for n, size in enumerate("abc")], {}),
    ],
    ids=["file name", "address", "id at the source", "Flickr photo"],
)
def test_one_photo_listed_thrice_is_not_suspected(urls, more):
    """Related addresses, whatever relates them, count once."""
    assert not any(suspects(listed(urls, **more)))


def test_relation_goes_on_through_others():
    """1 and 2 share a name, 2 and 3 an id: three addresses are one photo, a fourth makes two."""
    rows = listed([f"http://a.example/{path}" for path in ("1/x.jpg", "2/x.jpg", "3/y.jpg", "4/z.jpg")])
    rows[2]["source_id"] = rows[1]["source_id"]
    assert not any(suspects(rows))


def test_a_name_that_the_host_gives_to_everything_relates_nothing():
    """``original.jpg`` of another photo on that host shows that the name tells nothing; elsewhere it would."""
    rows = listed([f"http://a.example/{n}/original.jpg" for n in range(3)])
    other = {"url": "http://a.example/9/original.jpg", "sha256": sha256("a photo"), "detail": 60.0, "phash": 1}
    assert suspects([*rows, other]) == [True, True, True, False]
    assert not any(suspects([*rows, other | {"url": "http://b.example/9/original.jpg"}]))


def test_a_query_belongs_to_the_name():
    """``photo.php?id=1`` and ``photo.php?id=2`` are two names."""
    assert all(suspects(listed([f"http://a.example/photo.php?id={n}" for n in range(3)])))


def test_all_that_is_alike_goes():
    """Once a host gives it away, the same bytes are a placeholder under every label, and on a disk too."""
    rows = [
        *listed(unrelated()),
        *listed(["http://other.example/x.jpg"], label="soccer", source_id="n2_9"),
        {"local_path": "/photos/x.jpg", "sha256": SAME},
    ]
    assert all(suspects(rows))


def test_equal_hashes_are_enough_only_where_there_is_little_detail():
    """A drawing encoded anew at each address is suspected; photographs with equal hashes are near-duplicates."""
    plain = [row | {"sha256": sha256(n), "detail": LOW_DETAIL - 1} for n, row in enumerate(listed(unrelated()))]
    assert all(suspects(plain))
    detail = drop_suspected_placeholders(make_table(plain))["drop_detail"][0]
    assert detail == "same picture of low detail as 3 unrelated addresses of flickr.com"
    assert not any(suspects([row | {"detail": LOW_DETAIL} for row in plain]))
    assert not any(suspects([row | {"phash": None} for row in plain]))
    assert not any(suspects([row | {"phash": n} for n, row in enumerate(plain)]))


def test_sizes_of_one_plain_picture_share_its_name():
    """Other bytes of the same picture do not make its name common."""
    urls = [f"http://a.example/{size}/x.jpg" for size in ("s", "m", "l")]
    plain = [row | {"sha256": sha256(n), "detail": 10.0} for n, row in enumerate(listed(urls))]
    assert not any(suspects(plain))


def test_missing_bytes_and_hashes_are_not_equal():
    """Rows that were never fetched have nothing in common."""
    assert not any(suspects(listed(unrelated(), sha256=None, phash=None, detail=None)))


def test_what_a_person_keeps_is_no_placeholder():
    """One row that a person wants saves all that are like it."""
    rows = listed(unrelated(4))
    assert not any(suspects(rows, np.array([False, True, False, False])))


def test_dropped_rows_neither_go_nor_count():
    """What the fetch dropped keeps its reason, and does not make up the three."""
    rows = listed(unrelated())
    rows[0] |= {"drop_stage": "fetched", "drop_reason": "too-small"}
    assert not any(suspects(rows))


def test_the_address_that_answered_counts():
    """Where the first address is gone, the fallback's host is asked, wherever it redirects."""
    urls = [f"https://bucket{n}.example/{n}.jpg" for n in range(3)]
    rows = listed(urls)
    for row, fallback in zip(rows, unrelated(), strict=True):
        row |= {"fallback_url": fallback, "final_url": "https://s.yimg.com/unavailable.png", "from_fallback": True}
    assert all(suspects(rows))
    assert not any(suspects([row | {"final_url": row["url"], "from_fallback": False} for row in rows]))


@pytest.mark.parametrize("final", ["http://a.example/gone.png", "http://cdn.example/gone.png", None])
def test_a_redirected_address_is_asked_of_its_own_host_though_it_has_a_fallback(final):
    """Three photos of one host are gone, wherever it sends who asks; the fallbacks elsewhere were never asked."""
    rows = listed([f"http://a.example/{n}.jpg" for n in range(3)], final_url=final, from_fallback=False)
    for n, row in enumerate(rows):
        row |= {"fallback_url": f"http://site{n}.example/{n}.jpg"}
    table = drop_suspected_placeholders(make_table(rows))
    assert set(table["drop_detail"]) == {"same bytes as 3 unrelated addresses of a.example"}
    asked_elsewhere = [row | {"from_fallback": True} for row in rows]
    assert not any(suspects(asked_elsewhere))


def test_a_name_that_the_host_did_not_serve_relates_as_ever():
    """What came from a fallback elsewhere does not show that the first host gives its name to everything."""
    rows = listed([f"http://a.example/{n}/x.jpg" for n in range(3)])
    other = {"url": "http://a.example/9/x.jpg", "sha256": sha256("a photo"), "detail": 60.0, "phash": 1}
    assert all(suspects([*rows, other])[:3])
    elsewhere = other | {"fallback_url": "http://b.example/9.jpg", "from_fallback": True}
    assert not any(suspects([*rows, elsewhere]))


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 3), st.integers(0, 1), st.booleans()),
        max_size=14,
    ),
    st.integers(0, 99),
)
def test_the_rule_depends_neither_on_order_nor_on_how_it_is_computed(picks, seed):
    """Against a plain program over every family and every chain of relations."""
    rows = [
        {
            "url": f"http://h{host}.example/{n}/{name}.jpg",
            "kind": "imagenet",
            "source_id": f"n1_{source_id}" if with_id else None,
            "sha256": sha256(content),
            "detail": 60.0,
        }
        for n, (host, name, source_id, content, with_id) in enumerate(picks)
    ]
    table = make_table(rows)
    decided = by_id(drop_suspected_placeholders(shuffled(table, seed)))
    assert (~is_kept(decided)).tolist() == plain_rule(rows)


def plain_rule(rows):
    """The rule, image by image."""
    family = [row["url"].split("/")[2] for row in rows]
    names = [row["url"].split("/")[-1] for row in rows]
    served = [
        {r["sha256"] for r, f, m in zip(rows, family, names, strict=True) if (f, m) == key}
        for key in zip(family, names, strict=True)
    ]

    def related(a, b):
        same_name = names[a] == names[b] and len(served[a]) == 1
        return same_name or (rows[a]["source_id"] is not None and rows[a]["source_id"] == rows[b]["source_id"])

    bad = set()
    for content in {row["sha256"] for row in rows}:
        for host in set(family):
            left = {n for n, row in enumerate(rows) if row["sha256"] == content and family[n] == host}
            n_photos = 0
            while left:
                n_photos += 1
                reached = [left.pop()]
                while reached:
                    near = {other for other in left if related(reached[-1], other)}
                    reached.pop()
                    left -= near
                    reached += near
            if n_photos >= 3:
                bad.add(content)
    return [row["sha256"] in bad for row in rows]


@pytest.mark.parametrize(
    ("host", "family"),
    [
        ("images.google.co.uk", "google.co.uk"),
        ("co.uk", "co.uk"),
        ("farm9.staticflickr.com", "flickr.com"),
        ("s.yimg.com", "flickr.com"),
        ("open-images-dataset.s3.amazonaws.com", "open-images-dataset.s3.amazonaws.com"),
        ("ann.blob.core.windows.net", "ann.blob.core.windows.net"),
        ("www.ann.wordpress.com", "ann.wordpress.com"),
        ("ann.files.wordpress.com", "ann.files.wordpress.com"),
        ("wordpress.com", "wordpress.com"),
        ("images.culture.gouv.fr", "culture.gouv.fr"),
        ("www.ann.id.au", "ann.id.au"),
        ("photos.city.kawasaki.jp", "city.kawasaki.jp"),
        ("bucket.s3.eu-west-1.amazonaws.com", "bucket.s3.eu-west-1.amazonaws.com"),
        ("www.\u98df\u72ee.\u516c\u53f8.cn", "\u98df\u72ee.\u516c\u53f8.cn"),
        ("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("no..name", "no..name"),
        ("10.0.0.1:80", "10.0.0.1"),
        ("farm.example.", "farm.example"),
    ],
)
def test_hosts_have_families(host, family):
    """Registrable domains, shared names, customers' names and addresses."""
    assert host_family(host) == family


def test_no_host_has_no_family():
    """A local file belongs to none."""
    assert host_families(pa.array([None, "www.a.example"])).to_pylist() == [None, "a.example"]
