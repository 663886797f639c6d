"""Photos of taxa are found in iNaturalist's open-data tables, as streams, with licence and observer."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pyarrow as pa
import pytest

from curator.errors import RecipeError, SourceError
from curator.manifests.read_recipe import parse_recipe
from curator.sources.inaturalist.inaturalist_source import INaturalist
from curator.sources.inaturalist.tables import ObservationFilter
from curator.sources.registry import host_limits, source_kinds
from tests.sources.killed import list_killed

LABELS = ("heron", "egret")
TAXA = """taxon_id\tancestry\trank_level\trank\tname\tactive
3\t1/2\t50\tclass\tAves\ttrue
10\t1/2/3\t20\tgenus\tArdea\ttrue
11\t1/2/3/10\t10\tspecies\tArdea herodias\ttrue
12\t1/2/3/10\t10\tspecies\tArdea alba\ttrue
13\t1/2/3/10/12\t5\tsubspecies\tArdea alba "modesta\ttrue
14\t1/2/3/10\t10\tspecies\tArdea goliath\ttrue
15\t1/2/3\t10\tspecies\tArdea alba\tfalse
100\t1/2/3\t20\tgenus\tMorus\ttrue
101\t4\t20\tgenus\tMorus\ttrue
"""
OBSERVATIONS = (
    "observation_uuid\tobserver_id\tlatitude\tlongitude\tpositional_accuracy\t"
    "taxon_id\tquality_grade\tobserved_on\tanomaly_score\n"
)
PHOTOS = "photo_uuid\tphoto_id\tobservation_uuid\tobserver_id\textension\tlicense\twidth\theight\tposition\n"
OBSERVERS = "observer_id\tlogin\tname\n1\tann\tAnn Müller\n2\tbo_b\t\n"


def observation(uuid: str, taxon: int, grade: str = "research", observer: int = 1) -> str:
    return f"{uuid}\t{observer}\t1.5\t2.5\t\t{taxon}\t{grade}\t2020-01-02\t\n"


def photo(number: int, uuid: str, observer: int = 1, licence: str = "CC-BY-NC") -> str:
    return f"u{number}\t{number}\t{uuid}\t{observer}\tjpg\t{licence}\t2048\t1536\t0\n"


@pytest.fixture
def tables(server):
    """The four tables, packed, at an address."""
    observed = [
        *(observation(f"{n:04x}-h", 11) for n in range(6)),
        observation("a-egret", 12, observer=2),
        observation("a-modesta", 13, observer=3),
        observation("a-goliath", 14),
        observation("a-casual", 11, "casual"),
        observation("a-other", 100),
    ]
    pictured = [
        *(photo(n, f"{n:04x}-h") for n in range(6)),
        photo(20, "a-egret", 2, "CC0"),
        photo(21, "a-egret", 2, "PD"),
        photo(22, "a-modesta", 3, "CC-BY-SA"),
        *(photo(30 + n, uuid) for n, uuid in enumerate(("a-goliath", "a-casual", "a-other", "nowhere"))),
    ]
    for name, text in {
        "taxa": TAXA,
        "observations": OBSERVATIONS + "".join(observed),
        "photos": PHOTOS + "".join(pictured),
        "observers": OBSERVERS,
    }.items():
        server.serve(f"/{name}.csv.gz", gzip.compress(text.encode()))
    return server


def source_of(tables, **keys) -> INaturalist:
    given = {"taxa": {"heron": ("ardea",), "egret": ("Ardea alba",)}, "except_": ("14",), **keys}
    return INaturalist(**given, path=tables.url)


def test_a_taxon_means_all_below_it_but_those_of_another_label(tables, context, told):
    """By name, without case, or id; the licence and observer of each photo; one observation is one group."""
    context = replace(context, labels=LABELS)
    listed = source_of(tables).list_images(0, LABELS, context).set_index("source_id")
    assert listed["label"].to_dict() == {
        **{str(n): "heron" for n in range(6)},
        "20": "egret",
        "21": "egret",
        "22": "egret",
    }
    row = listed.loc["20"]
    assert row["url"] == "https://inaturalist-open-data.s3.amazonaws.com/photos/20/medium.jpg"
    assert row["landing_url"] == "https://www.inaturalist.org/photos/20" and row["author_url"].endswith("/users/2")
    assert listed["license"].nunique() == 4 and listed["license"].notna().all() and listed["author"].notna().all()
    assert row["license"] == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert listed["author"].loc[["0", "20", "22"]].tolist() == ["Ann Müller", "bo_b", "observer 3 of iNaturalist"]
    assert row["listed_group"] == listed.loc["21"]["listed_group"] == "a-egret"
    assert [read.cached for read in source_of(tables).plan(0, context)] == [True] * 4
    tables.requests.clear()
    assert len(source_of(tables).list_images(0, ("egret",), replace(context, fresh=set()))) == 3 and not tables.requests
    few = source_of(tables, most=2).list_images(0, LABELS, context)
    assert sorted(few["listed_group"]) == ["0000-h", "0001-h", "a-egret", "a-egret", "a-modesta"]
    assert "2 of 6 observations of heron are taken, by chance" in told()
    casual = source_of(tables, grades=("casual",)).list_images(0, LABELS, context)
    assert casual["source_id"].tolist() == ["31"]
    assert host_limits([source_of(tables)], 8)["inaturalist-open-data.s3.amazonaws.com"] == 64


def test_a_listing_goes_on_at_the_table_where_it_was_cut(tables, context):
    """What was found in the tables before it is not read again."""
    tables.pages["/photos.csv.gz"].statuses = [404]
    with pytest.raises(SourceError, match=r"The table .*/photos\.csv\.gz answered 404 Not Found. Run again later"):
        source_of(tables).list_images(0, LABELS, context)
    tables.requests.clear()
    tables.pages["/observers.csv.gz"].statuses = [404] * 9
    listed = source_of(tables).list_images(0, LABELS, replace(context, fresh=set()))
    assert set(tables.gets()) == {"/photos.csv.gz", "/observers.csv.gz"}
    assert set(listed["author"]) == {f"observer {n} of iNaturalist" for n in (1, 2, 3)}


def test_a_listing_that_is_killed_goes_on_at_the_same_table(tables, context, tmp_path):
    """Killed when it asks for the photos, it does not read the tables before them again."""
    context = replace(context, labels=LABELS)
    expected = source_of(tables).list_images(0, LABELS, replace(context, cache_dir=tmp_path / "elsewhere"))
    photos = next(number for number, path in enumerate(tables.gets(), 1) if path == "/photos.csv.gz")
    tables.pages["/photos.csv.gz"].statuses = []
    fresh = replace(context, fresh=set())
    list_killed(tables, "requests", photos, lambda: source_of(tables).list_images(0, LABELS, fresh))
    rows = source_of(tables).list_images(0, LABELS, replace(context, fresh=set()))
    assert rows["record_id"].tolist() == expected["record_id"].tolist() and len(rows) == 9
    assert set(tables.gets()) == {"/photos.csv.gz", "/observers.csv.gz"}


BAD = {
    "unknown": ({"taxa": {"heron": ("Ardea albba",)}}, "'Ardea albba' is no taxon, did you mean Ardea alba"),
    "homonyms": ({"taxa": {"heron": ("Morus",)}}, r"'Morus' names 2 taxa, write an id instead: 100 \(genus\), 101"),
    "two labels": ({"taxa": {"heron": ("Ardea",), "egret": ("10",)}}, "'10' is named for heron and egret"),
    "nothing": (
        {"taxa": {"heron": ("Aves",)}, "grades": ("needs_id",)},
        "no observation of Aves of the grade needs_id",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_taxon_that_is_none_is_one_paragraph(tables, context, what):
    """With those that may have been meant, or what else to write."""
    keys, message = BAD[what]
    with pytest.raises(SourceError, match=message) as error:
        source_of(tables, except_=(), **keys).list_images(0, LABELS, context)
    assert error.value.hint


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>Sorry", "taxa.csv.gz answered with a web page"),
        (b"id,name\n1,Aves\n", r"taxa.csv.gz has no column taxon_id, .* \(its first line is 'id,name'\)"),
        (gzip.compress(TAXA.encode())[:-20], "compressed data is damaged or cut short"),
    ],
)
def test_a_table_that_is_none_is_one_paragraph(tables, context, body, message):
    """It names the table and the way out."""
    tables.serve("/taxa.csv.gz", body)
    with pytest.raises(SourceError, match=message) as error:
        source_of(tables).list_images(0, LABELS, context)
    assert error.value.hint


def test_mistakes_of_a_recipe_are_reported(tmp_path):
    """An unknown label, no grade, a size that is none, a folder that is not there."""
    text = 'name = "a"\nlabels = ["heron", "egret"]\n[[sources]]\nkind = "inaturalist"\n'
    good = 'taxa = { heron = ["Ardea"], egret = ["Ardea alba"] }\n'
    for keys, message in {
        'taxa = { heorn = ["Ardea"] }': "names 'heorn', which is not in labels, did you mean heron",
        f"{good}grades = []": "grades must name at least one grade",
        f'{good}size = "huge"': "size must be one of 'original'",
    }.items():
        with pytest.raises(RecipeError, match=message):
            parse_recipe(text + keys, source_kinds())
    assert INaturalist(taxa={}, path="nowhere").missing(tmp_path)[0][0] == "path"


def test_a_table_that_is_read_again_counts_once():
    """As one that changes meanwhile is."""
    rows = pa.table({"observation_uuid": list("dbac"), "taxon_id": ["1"] * 4, "quality_grade": ["research"] * 4})
    wanted = ObservationFilter({"1": "heron"}, ("research",), most=2)
    for _ in range(2):
        wanted.begin()
        wanted(rows)
        assert wanted.chosen() == {"a": "heron", "b": "heron"} and wanted.counts["heron"] == 4


def test_observations_that_share_a_photo_are_one_group(tables, context):
    """The table lists such a photo once an observation; each photo comes once, whatever order the rows have."""
    text = PHOTOS + photo(1, "0000-h") + photo(2, "0001-h") + photo(1, "0001-h") + photo(3, "0002-h")
    tables.serve("/photos.csv.gz", gzip.compress(text.encode()))
    listed = source_of(tables).list_images(0, ("heron",), context).set_index("source_id")
    assert listed["listed_group"].to_dict() == {"1": "0000-h", "2": "0000-h", "3": "0002-h"}
