"""Open Images: tier by tier, verified positives only, every table read once."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import DiskError, SourceError
from curator.manifests.toml_settings import read_settings
from curator.sources.open_images.classes import ClassNames, read_class_names
from curator.sources.open_images.hierarchy import below, children_of
from curator.sources.open_images.image_ids import read_ids
from curator.sources.open_images.open_images_source import OpenImages
from curator.sources.open_images.rows import label_rows, present_images
from curator.sources.open_images.wanted_rows import filter_csv

RUGBY, PLAYER, SOCCER = "/m/06bqd", "/m/0574rl2", "/m/02vx4"
CLASSES = (
    f"LabelName,DisplayName\n{RUGBY},Rugby\n{PLAYER},Rugby player\n{SOCCER},Soccer\n/m/a,Football\n/m/b,Football\n"
)
LABELS = "ImageID,Source,LabelName,Confidence"
IMAGES = (
    "ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,Author,Title,"
    "OriginalSize,OriginalMD5,Thumbnail300KURL,Rotation"
)
BOXES = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
HUMAN = {subset: f"/v7/oidv7-{subset}-annotations-human-imagelabels.csv" for subset in ("train", "val", "test")}
VALIDATION_IMAGES = "/2018_04/validation/validation-images-with-rotation.csv"
TEST_IMAGES = "/2018_04/test/test-images-with-rotation.csv"
BOXABLE = "/2018_04/train/train-images-boxable-with-rotation.csv"
ALL_IMAGES = "/2018_04/image_ids_and_rotation.csv"
SHARED = Path(__file__).parents[2] / "../shared/openimages"


def image_id(number: int) -> str:
    """The 16 hex digits of a number."""
    return f"{number:016x}"


def labels(*rows: tuple[int, str, str]) -> str:
    """A label table of (image, MID, confidence) rows."""
    return (
        "\n".join([LABELS, *(f"{image_id(n)},verification,{mid},{confidence}" for n, mid, confidence in rows)]) + "\n"
    )


def images(*numbers: int, title: str = "A title", rotation: str = "90.0") -> str:
    """An image table."""
    out = io.StringIO(IMAGES + "\n")
    out.seek(0, io.SEEK_END)
    for n in numbers:
        pages = (
            f"http://flickr.example/{n}.jpg",
            f"http://flickr.example/photo/{n}",
            "CC BY 2.0",
            f"http://who.example/{n}",
        )
        csv.writer(out).writerow([image_id(n), "any", *pages, f"Author {n}", title, 999, "md5==", "", rotation])
    return out.getvalue()


@pytest.fixture
def world(server):
    """Small tables of every tier at the places of the real ones."""
    server.serve("/v7/oidv7-class-descriptions.csv", CLASSES)
    server.serve("/v5/class-descriptions-boxable.csv", f"{RUGBY},Rugby\n{SOCCER},Soccer\n")
    server.serve(HUMAN["val"], labels((1, RUGBY, "1"), (2, SOCCER, "0"), (1, PLAYER, "1"), (3, "/m/other", "1")))
    server.serve(HUMAN["test"], labels((4, SOCCER, "1.0"), (5, PLAYER, "1"), (5, RUGBY, "0")))
    server.serve(HUMAN["train"], labels((6, RUGBY, "1"), (7, SOCCER, "1"), (8, SOCCER, "1"), (8, RUGBY, "1")))
    server.serve(VALIDATION_IMAGES, images(1, 2, 3))
    server.serve(TEST_IMAGES, images(4, title='5" lens, "quoted",\nsecond line'))
    server.serve(BOXABLE, images(6, 99))
    server.serve(ALL_IMAGES, images(1, 4, 5, 6, 7, 8, 99, rotation=""))
    return server


def settings(world, **changes):
    """Settings that read from the loopback server."""
    classes = {"rugby": ("Rugby", "rugby player"), "soccer": (SOCCER,)}
    return OpenImages(**{"classes": classes, "metadata": world.url + "/", **changes})


def list_tier(chosen, tier, context):
    """List a tier for all labels."""
    return chosen.list_images(tier, context.labels, context)


def test_validation_and_test_come_first_from_the_bucket(world, context):
    """Verified positives only; the bucket's address, OriginalURL behind it, licence and all; one row an image."""
    rows = list_tier(settings(world), 0, context).set_index("source_id")
    assert rows["label"].to_dict() == {image_id(1): "rugby", image_id(5): "rugby", image_id(4): "soccer"}
    first = rows.loc[image_id(1)]
    assert first["url"] == f"https://open-images-dataset.s3.amazonaws.com/validation/{image_id(1)}.jpg"
    assert first["fallback_url"] == "http://flickr.example/1.jpg"
    assert (first["source_class"], first["license"], first["author"]) == (RUGBY, "CC BY 2.0", "Author 1")
    assert (first["landing_url"], first["rotation"]) == ("http://flickr.example/photo/1", 90)
    assert json.loads(first["extra"]) == {"subset": "validation", "original_size": "999", "original_md5": "md5=="}
    assert rows.loc[image_id(4), "title"] == '5" lens, "quoted", second line'  # on one line, see curator.text


def test_an_image_without_facts_is_listed_in_the_first_tier_only(world, context):
    """The bucket holds all of validation and test, so a missing row of facts loses no image there."""
    rows = list_tier(settings(world), 0, context).set_index("source_id")
    assert rows.loc[image_id(5), "url"].endswith(f"/test/{image_id(5)}.jpg")
    assert pd.isna(rows.loc[image_id(5), "license"])
    assert pd.isna(rows.loc[image_id(5), "fallback_url"])


def test_train_is_split_into_boxable_and_the_rest(world, context, told):
    """Tier 1 is in the bucket, tier 2 at OriginalURL; an image of two labels is a row of each."""
    boxable = list_tier(settings(world), 1, context)
    assert boxable["url"].tolist() == [f"https://open-images-dataset.s3.amazonaws.com/train/{image_id(6)}.jpg"]
    rest = list_tier(settings(world), 2, context)
    assert sorted(zip(rest["label"], rest["source_id"], strict=True)) == [
        ("rugby", image_id(8)),
        ("soccer", image_id(7)),
        ("soccer", image_id(8)),
    ]
    assert set(rest["url"]) == {"http://flickr.example/7.jpg", "http://flickr.example/8.jpg"}
    assert rest["fallback_url"].isna().all()
    world.serve(ALL_IMAGES, images(7))
    list_tier(settings(world), 2, replace(context, refresh=True, fresh=set()))
    assert "open-images train: 1 image has no known address and was left out" in told()
    assert rest["rotation"].isna().all()
    assert set(rest["tier"]) == {2}


def test_each_table_is_read_once(world, context):
    """Train labels serve two tiers, and other labels being short later reads nothing again; a new run reads nothing."""
    for tier in range(3):
        settings(world).list_images(tier, ["rugby"], context)
    read = world.gets()
    assert sorted(read) == sorted(set(read))
    assert len(read) == 8
    later = replace(context, fresh=set())
    assert [len(list_tier(settings(world), tier, later)) for tier in range(3)] == [3, 1, 3]
    assert world.gets() == read


def test_the_plan_is_made_before_the_first_byte(world, context):
    """Sizes come from HEAD; when all is cached the plan is to read nothing."""
    planned = settings(world).plan(1, context)
    assert [read.name for read in planned] == [
        "oidv7-class-descriptions.csv",
        "oidv7-train-annotations-human-imagelabels.csv",
        "train-images-boxable-with-rotation.csv",
    ]
    assert planned[1].n_bytes == len(world.pages[HUMAN["train"]].body)
    assert world.gets() == []
    list_tier(settings(world), 1, context)
    assert {(read.n_bytes, read.cached) for read in settings(world).plan(1, context)} == {(0, True)}
    last = settings(world).plan(2, context)
    assert [read.cached for read in last] == [True, True, True, False]


def test_only_the_wanted_subsets_are_read(world, context):
    """Without train the later tiers are empty and cost nothing."""
    chosen = settings(world, subsets=("validation",))
    assert set(list_tier(chosen, 0, context)["source_id"]) == {image_id(1)}
    assert len(list_tier(chosen, 1, context)) == len(list_tier(chosen, 2, context)) == 0
    assert chosen.plan(2, context) == []
    assert not any("train" in path for path in world.gets())


def test_a_cut_connection_loses_no_row(world, context):
    """A table is resumed in the middle of a row."""
    world.pages[HUMAN["val"]].cuts = [55]
    world.pages[VALIDATION_IMAGES].cuts = [300]
    assert image_id(1) in set(list_tier(settings(world), 0, context)["source_id"])


def test_a_table_that_changes_while_it_is_read_is_read_again(world, context):
    """Rows of the old version are not joined with rows of the new one."""
    old = labels(*((n, RUGBY, "1") for n in range(1000, 3000)))
    world.serve(HUMAN["val"], old, cuts=[50_000], later=(labels((1, RUGBY, "1")).encode(), '"v2"'))
    rows = list_tier(settings(world, subsets=("validation",)), 0, context)
    assert rows["source_id"].tolist() == [image_id(1)]


def test_a_connection_lost_for_good_is_an_error_and_nothing_is_kept(world, context):
    """Half a table is no table: the next run reads it again."""
    body = world.pages[HUMAN["val"]].body
    world.pages[HUMAN["val"]].cuts = [60, 0, 0, 0]
    with pytest.raises(SourceError, match="broke off after 60 bytes"):
        list_tier(settings(world), 0, context)
    world.serve(HUMAN["val"], body)
    assert len(list_tier(settings(world), 0, context)) == 3


def test_a_damaged_cache_is_read_again_and_a_refused_write_is_told(world, context, tmp_path):
    """The cache is never trusted over its own bytes; a refused write is a DiskError."""
    expected = list_tier(settings(world), 0, context)
    for path in context.cache_dir.glob("*.parquet"):
        path.write_bytes(path.read_bytes()[:-9])
    pd.testing.assert_frame_equal(list_tier(settings(world), 0, context), expected)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DiskError, match="Cannot write"):
        list_tier(settings(world), 0, replace(context, cache_dir=tmp_path / "file" / "sources"))


def test_boxes_count_whatever_they_show(world, context):
    """Occluded, truncated and group boxes are not lost; several boxes are one image; the last tier is empty."""
    row = f"{{}},xclick,{RUGBY},1,0,1,0,1,1,1,1,0,0"
    lines = [BOXES, row.format(image_id(1)), row.format(image_id(1)), row.format(image_id(2))]
    for path in ("/v5/validation-annotations-bbox.csv", "/v5/test-annotations-bbox.csv"):
        world.serve(path, "\n".join(lines))
    chosen = settings(world, labels_from="boxes", classes={"rugby": ("Rugby",)}, subsets=("validation", "train"))
    assert sorted(list_tier(chosen, 0, context)["source_id"]) == [image_id(1), image_id(2)]
    assert len(list_tier(chosen, 2, context)) == 0


def test_a_class_without_boxes_is_refused_for_boxes(world, context):
    """Only 600 classes have boxes: the boxable names decide."""
    with pytest.raises(SourceError, match=r"'rugby player' is no class\. Only 600 classes have boxes"):
        list_tier(settings(world, labels_from="boxes"), 0, context)


def test_machine_labels_count_from_a_half(world, context):
    """Machine confidences are fractions; under 0.5 is not listed."""
    for name in ("val", "test"):
        path = f"/v7/oidv7-{name}-annotations-machine-imagelabels.csv"
        world.serve(path, labels((1, RUGBY, "0.5"), (2, RUGBY, "0.4"), (4, SOCCER, "0.9")))
    rows = list_tier(settings(world, labels_from="machine", subsets=("validation",)), 0, context)
    assert rows["source_id"].tolist() == [image_id(1), image_id(4)]


def test_a_contested_label_is_left_out_and_told(world, context, told):
    """Verified present by one person and absent by another: never listed."""
    world.serve(HUMAN["val"], labels((1, RUGBY, "1"), (1, RUGBY, "0"), (2, RUGBY, "1")))
    rows = list_tier(settings(world, subsets=("validation",)), 0, context)
    assert rows["source_id"].tolist() == [image_id(2)]
    assert "1 label that people verified both present and absent" in told()


def test_ids_from_outside_are_checked(world, context, told):
    """An image id becomes part of an address and a path: anything but 16 hex digits is left out."""
    world.serve(
        HUMAN["val"], f"{LABELS}\n../../../etc/passwd,verification,{RUGBY},1\n{image_id(1)},verification,{RUGBY},1\n"
    )
    rows = list_tier(settings(world, subsets=("validation",)), 0, context)
    assert rows["source_id"].tolist() == [image_id(1)]
    assert "1 row with no image id" in told()


def test_all_wrong_classes_are_told_at_once(world, context):
    """Ambiguous names with their MIDs, unknown ones with near names, one class for two labels."""
    classes = {"rugby": ("Rugbi", "Football", RUGBY), "soccer": ("/m/none", "Rugby")}
    with pytest.raises(SourceError) as caught:
        list_tier(settings(world, classes=classes), 0, context)
    message = str(caught.value)
    assert "rugby: 'Rugbi' is no class; near: Rugby (/m/06bqd)" in message
    assert "'Football' names 2 classes, write a MID instead: /m/a (Football), /m/b (Football)" in message
    assert "soccer: '/m/none' is no class here" in message
    assert "/m/06bqd is named for rugby and soccer" in message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<html><body>no</body></html>", "web page"),
        ("id,label\n1,2\n", "no column ImageID, LabelName, Confidence; its first line is: id, label"),
        ("", "no column ImageID"),
        (f"{LABELS}\n{image_id(1)},v,{RUGBY},often\n", "Confidence that is not a number"),
    ],
)
def test_a_table_that_is_none_is_named(world, context, body, message):
    """HTML with status 200, other columns and nonsense values are errors."""
    world.serve(HUMAN["val"], body)
    with pytest.raises(SourceError, match=message):
        list_tier(settings(world), 0, context)


def test_an_empty_table_lists_nothing(world, context):
    """A header without rows is a valid, empty table."""
    world.serve(HUMAN["val"], LABELS + "\n")
    assert set(list_tier(settings(world), 0, context)["source_id"]) == {image_id(4), image_id(5)}


def test_local_copies_serve_as_well(world, context, tmp_path):
    """Metadata in one folder, plain or .gz, and images in another: paths instead of addresses."""
    folder = tmp_path / "meta"
    folder.mkdir()
    for path, page in world.pages.items():
        name = Path(path).name
        (folder / f"{name}.gz").write_bytes(gzip.compress(page.body))
    (tmp_path / "bucket").mkdir()
    rows = list_tier(settings(world, metadata="meta", images="bucket"), 0, context).set_index("source_id")
    assert rows.loc[image_id(1), "local_path"] == str(tmp_path / "bucket" / "validation" / f"{image_id(1)}.jpg")
    assert rows["url"].isna().all()
    assert world.requests == []


def test_a_missing_table_is_named(world, context):
    """A 404 names the table."""
    del world.pages[TEST_IMAGES]
    with pytest.raises(SourceError, match=r"test-images-with-rotation\.csv answered 404"):
        list_tier(settings(world), 0, context)


def test_the_recipe_is_checked():
    """Choices, labels and places are checked before anything runs; one class may stand without a list."""
    problems: list[object] = []
    table = {"classes": {"rugby": "Rugby", "socer": ["Soccer"]}, "metadata": "ftp://nowhere"}
    read = read_settings(OpenImages, table, "x", problems.append)
    assert [key for key, _ in read.problems(("rugby", "soccer"))] == ["classes", "metadata"]
    assert read.classes["rugby"] == ("Rugby",)
    assert read_settings(OpenImages, table | {"labels_from": "humans"}, "x", problems.append) is not None
    assert "labels_from must be one of 'human', 'machine', 'boxes'" in str(problems[0])
    assert "segmentation.csv) and of point labels (…-point-labels.csv) are not read" in str(problems[0])


FIELD = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=20)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), FIELD), max_size=20))
def test_any_quoted_title_survives_the_filter(rows):
    """Commas, quotes and newlines in a field are read back as they were written, in order."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("Key", "Title"), *rows])
    stream = io.BufferedReader(io.BytesIO(out.getvalue().encode()))
    found = filter_csv(stream, ("Key", "Title"), "Key", ["a", "c"]).rows
    assert found["Title"].to_pylist() == [title for key, title in rows if key in "ac"]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from([RUGBY, PLAYER, SOCCER]), st.sampled_from("01")), max_size=30)
)
def test_a_verified_negative_is_never_listed(rows):
    """Whatever the rows and their order: a pair is listed if and only if it has a 1 and no 0."""
    names = ("ImageID", "LabelName", "Confidence")
    columns = list(zip(*((image_id(n), mid, confidence) for n, mid, confidence in rows), strict=True)) or [(), (), ()]
    table = pa.table({name: pa.array(values, pa.string()) for name, values in zip(names, columns, strict=True)})
    present = present_images(table, "human").rows
    found = {tuple(row.values()) for row in present.to_pylist()}
    ones, zeros = ({(image_id(n), mid) for n, mid, value in rows if value == wanted} for wanted in "10")
    assert found == ones - zeros
    listed = label_rows(present, {"rugby": (RUGBY, PLAYER), "soccer": (SOCCER,)}, ["rugby"])
    assert set(listed["ImageID"].to_pylist()) == {image for image, mid in found if mid != SOCCER}
    assert listed.num_rows == len(set(listed["ImageID"].to_pylist()))


def test_rows_with_another_number_of_fields_are_counted():
    """A broken row is left out and counted; its neighbours stay."""
    stream = io.BufferedReader(io.BytesIO(b"A,B\n1,x\n1,2,3\n1,y\n"))
    found = filter_csv(stream, ("A", "B"), "A", ["1"])
    assert (found.rows["B"].to_pylist(), found.tally.n_refused) == (["x", "y"], 1)


def test_bytes_that_are_no_utf8_are_replaced():
    """A Latin-1 title loses a letter, not the row."""
    stream = io.BufferedReader(io.BytesIO(b"A,B\n1,caf\xe9\n"))
    assert filter_csv(stream, ("A", "B"), "A", ["1"]).rows["B"].to_pylist() == ["caf\ufffd"]


def test_case_alone_may_tell_two_classes_apart():
    """An exact name wins over one that differs in case; otherwise both are listed."""
    names = ClassNames({"/m/1": "Polo", "/m/2": "POLO"})
    assert names.find("POLO") == "/m/2"
    with pytest.raises(SourceError, match=r"/m/1 \(Polo\), /m/2 \(POLO\)"):
        names.find("polo")


@pytest.mark.real
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
def test_the_real_class_names():
    """The default recipe's classes have the MIDs that were checked by hand; the boxable ones have boxes."""
    with (SHARED / "oidv6-class-descriptions.csv").open("rb") as file:
        names = read_class_names(file)
    wanted = {"Rugby": RUGBY, "Rugby union": "/m/06br8", "Rugby league": "/m/06f3l", "Rugby player": PLAYER}
    wanted |= {"Rugby ball": "/m/0wdt60w", "Soccer": SOCCER, "Soccer player": "/m/0pcq81q", "Soccer ball": "/m/0dpm1v"}
    assert {name: names.find(name) for name in wanted} == wanted
    with (SHARED / "class-descriptions-boxable.csv").open("rb") as file:
        boxable = read_class_names(file)
    assert len(boxable.names) >= 600
    assert boxable.find("Football") == "/m/01226z"
    with pytest.raises(SourceError, match="'Soccer' is no class"):
        boxable.find("Soccer")


@pytest.mark.real
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
def test_real_ambiguous_names_are_refused():
    """Display names repeat across MIDs: each such name is refused and lists all of them."""
    with (SHARED / "oidv6-class-descriptions.csv").open("rb") as file:
        names = read_class_names(file)
    repeated = pd.Series(list(names.names), index=list(names.names.values())).groupby(level=0).agg(list)
    ambiguous = repeated[repeated.str.len() > 1]
    assert len(ambiguous) > 0
    for name, mids in ambiguous.head(20).items():
        with pytest.raises(SourceError) as caught:
            names.find(str(name))
        assert all(mid in str(caught.value) for mid in mids)


BALL, HELMET, TEAM = "/m/ball", "/m/helmet", "/m/team"
DEEP_CLASSES = {
    RUGBY: "Rugby",
    SOCCER: "Soccer",
    BALL: "Rugby ball",
    HELMET: "Helmet",
    TEAM: "Team",
    "/m/am": "American football",
}
HIERARCHY = {
    "LabelName": "/m/all",
    "Subcategory": [
        {"LabelName": RUGBY, "Subcategory": [{"LabelName": BALL, "Subcategory": [{"LabelName": HELMET}]}]},
        {"LabelName": SOCCER, "Subcategory": [{"LabelName": TEAM}], "Part": [{"LabelName": "/m/wheel"}]},
        {"LabelName": "/m/am", "Subcategory": [{"LabelName": HELMET}]},
    ],
}


@pytest.fixture
def deep(server):
    """Validation alone, with a hierarchy, labels by people, and boxes of every kind; the last has no sides."""
    described = "LabelName,DisplayName\n" + "".join(f"{mid},{name}\n" for mid, name in DEEP_CLASSES.items())
    for path in ("/v7/oidv7-class-descriptions.csv", "/v5/class-descriptions-boxable.csv"):
        server.serve(path, described)
    server.serve("/2018_04/bbox_labels_600_hierarchy.json", json.dumps(HIERARCHY))
    shown = [(1, RUGBY), (2, BALL), (3, HELMET), (4, TEAM), (5, SOCCER), (6, BALL), (6, "/m/am"), (7, "/m/am")]
    server.serve(HUMAN["val"], labels(*((n, mid, "1") for n, mid in shown), (1, "/m/am", "0"), (2, "/m/wheel", "1")))
    boxes = [
        (1, RUGBY, "0,0.5,0,0.5", "0,0,0,0,0"),
        (2, RUGBY, "0,0.1,0,0.1", "0,0,0,0,0"),
        (3, RUGBY, "0,1,0,1", "0,0,1,0,0"),
        (4, RUGBY, "0,1,0,1", "0,0,-1,0,0"),
        (5, RUGBY, "0,1,0,1", "1,1,0,1,1"),
        (6, RUGBY, "0,1,0,1", "0,0,0,0,0"),
        (6, "/m/am", "0,0.01,0,0.01", "0,0,1,0,0"),
        (7, RUGBY, "0,,0,1", "0,0,0,0,0"),
    ]
    lines = [f"{image_id(n)},xclick,{mid},1,{sides},{flags}" for n, mid, sides, flags in boxes]
    server.serve("/v5/validation-annotations-bbox.csv", "\n".join([BOXES, *lines]))
    server.serve(VALIDATION_IMAGES, images(*range(1, 8)))
    return server


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, "rugby 1, soccer 5"),
        ({"with_children": True}, "rugby 1236, soccer 45"),
        ({"with_children": True, "except_": ("American football",)}, "rugby 12, soccer 45"),
        ({"with_children": True, "except_": (BALL,)}, "rugby 1, soccer 45"),
        ({"with_children": True, "classes": {"rugby": (RUGBY,), "soccer": (BALL,)}}, "rugby 1, soccer 236"),
        ({"except_": ("american football",), "classes": {"rugby": (BALL,), "soccer": (SOCCER,)}}, "rugby 2, soccer 5"),
        ({"with_children": True, "image_ids": ("ids.txt", "more.csv")}, "rugby 23, soccer 5"),
        ({"labels_from": "boxes"}, "rugby 1234567"),
        ({"labels_from": "boxes", "boxes": {"group_of": False}}, "rugby 12567"),
        ({"labels_from": "boxes", "boxes": {"group_of": True}}, "rugby 3"),
        ({"labels_from": "boxes", "boxes": {"occluded": False, "truncated": False, "inside": False}}, "rugby 123467"),
        ({"labels_from": "boxes", "boxes": {"depiction": True}}, "rugby 5"),
        ({"labels_from": "boxes", "boxes": {"least_area": 0.2}}, "rugby 13456"),
        ({"labels_from": "boxes", "boxes": {"least_area": 0.2, "group_of": False}, "except_": ("/m/am",)}, "rugby 15"),
    ],
)  # fmt: skip
def test_classes_below_classes_left_out_and_boxes(deep, context, tmp_path, chosen, expected):
    """What is listed of seven images; all of it is read once, and the plan knows."""
    (tmp_path / "ids.txt").write_text(f"validation/{image_id(2)}\n{image_id(3)}\nnothing\n")
    (tmp_path / "more.csv").write_text(f'\n"ImageID","x"\n"{image_id(5)}","1"\n')
    context = replace(context, base_dir=tmp_path)
    source = settings(deep, subsets=("validation",), **{"classes": {"rugby": (RUGBY,), "soccer": (SOCCER,)}, **chosen})
    assert source.problems(context.labels) == [] == source.missing(tmp_path)
    found = list_tier(source, 0, context)
    numbers = {
        label: "".join(sorted(str(int(one, 16)) for one in rows["source_id"])) for label, rows in found.groupby("label")
    }
    assert ", ".join(f"{label} {n}" for label, n in numbers.items()) == expected
    read = deep.gets()
    assert {one.cached for one in source.plan(0, context)} == {True}
    pd.testing.assert_frame_equal(list_tier(source, 0, replace(context, fresh=set())), found)
    assert deep.gets() == read and len(read) == len(set(read))
    assert ("/2018_04/bbox_labels_600_hierarchy.json" in read) == bool(source.with_children)


def test_what_is_left_out_is_said(deep, context, told, tmp_path):
    """Images of excepted classes, boxes that are none, ids that are none, classes without any below them."""
    (tmp_path / "ids.txt").write_text(f"{image_id(1)}\nx\n")
    context = replace(context, base_dir=tmp_path)
    few = {"subsets": ("validation",), "classes": {"rugby": (RUGBY,), "soccer": ("Helmet",)}}
    source = settings(deep, with_children=True, except_=("American football",), image_ids=("ids.txt",), **few)
    list_tier(source, 0, context)
    list_tier(settings(deep, labels_from="boxes", boxes={"least_area": 0.1}, **few), 0, context)
    said = told()
    assert "open-images validation: 1 image with a class of `except` was left out" in said
    childless = f"open-images: {HELMET} has no class below it in the hierarchy, which holds the 600 classes with boxes"
    assert said.count(childless) == 1
    assert "with a box that is none" in said and "with no image id" in said
    source.plan(0, context)
    list_tier(source, 0, replace(context, fresh=set()))  # of a later run, which has the hierarchy
    list_tier(source, 1, context)
    assert told().count(childless) == 2


@pytest.mark.parametrize(
    ("line", "is_id"),
    [
        *(
            (line, True)
            for line in ("{}", "train/{}", "{}.jpg", '"{}"', "'{}'", '"test/{}.jpg"', "{},x", "{}\tx", "{};x")
        ),
        *(
            (line, True)
            for line in ('"{}","train"', '"{}" , "a, b"', "'{}';'x'", '"train/{}"\t"x"', '{},"x"', '\ufeff"{}",1')
        ),
        *(
            (line, False)
            for line in ('"{}', '{}"', "\"{}'", '"{}"x', '"{},train"', '""{}""', "{}0", "x/{}", '"x","{}"')
        ),
    ],
)
def test_an_id_is_the_first_column(line, is_id):
    """Quoted or not, after a header or none."""
    for header in ("", "ImageID\n", '"ImageID","Subset"\r\n', "\n'ImageID';'x'\n"):
        text = f"{header}{line.format(image_id(10))}\n{image_id(11)}\n"
        found = read_ids(io.BufferedReader(io.BytesIO(text.encode())))
        assert found.rows["ImageID"].to_pylist() == [image_id(n) for n in (10, 11) if n == 11 or is_id]
        assert (found.tally.n_rows, found.tally.n_refused) == (2, 1 - is_id)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"boxes": {"group_of": False}}, 'boxes goes with labels_from = "boxes"'),
        ({"labels_from": "boxes", "boxes": {"groupof": False}}, "boxes names 'groupof', .* did you mean group_of"),
        ({"labels_from": "boxes", "boxes": {"occluded": 1}}, "boxes occluded must be true or false, not 1"),
        ({"labels_from": "boxes", "boxes": {"least_area": 5.0}}, "least_area must be a share .* 0 to 1, not 5"),
        ({"image_ids": ["ftp://h/ids.txt"]}, "image_ids must be an http or https address or a local path"),
    ],
)
def test_keys_that_cannot_be(table, said):
    """Each says what is wrong with it."""
    problems = []
    source = read_settings(OpenImages, {"classes": {"rugby": [RUGBY]}, **table}, "[[sources]]", problems.append)
    found = [f"{key} {text}" for key, text in source.problems(("rugby",))]
    assert problems == [] and len(found) == 1 and re.search(said, found[0])


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"except_": ("Footbal",)}, "except: 'Footbal' is no class"),
        ({"except_": (SOCCER,)}, f"{SOCCER} is named both in `classes` and in `except`"),
        ({"classes": {"rugby": (RUGBY,), "soccer": ("/m/am",)}}, f"{HELMET} is below classes of rugby and soccer"),
    ],
)
def test_classes_that_contradict_each_other(deep, context, chosen, said):
    """A class below those of two labels belongs to neither until it is named."""
    few = {"classes": {"rugby": (RUGBY,), "soccer": (SOCCER,)}, "with_children": True, "subsets": ("validation",)}
    with pytest.raises(SourceError, match=re.escape(said)):
        list_tier(settings(deep, **{**few, **chosen}), 0, context)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"LabelName": "/m/a"}', '{"Subcategory": []}', '{"LabelName": 1}', "[" * 9999]
)
def test_a_hierarchy_that_is_none(deep, context, text):
    """One paragraph that names the file and the way out."""
    deep.serve("/2018_04/bbox_labels_600_hierarchy.json", text)
    with pytest.raises(SourceError, match=r"bbox_labels_600_hierarchy\.json"):
        list_tier(settings(deep, with_children=True, classes={"rugby": (RUGBY,)}), 0, context)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the official file is not here")
def test_the_official_hierarchy():
    """602 entries; what is below Ball, and below an animal in several steps."""
    children = children_of((SHARED / "bbox_labels_600_hierarchy.json").read_text())
    named = {mid for mid, lows in children.items() for mid in (mid, *lows)}
    assert len(named) == 602 and {"/m/05ctyq", "/m/01226z"} <= set(below(children, "/m/018xm"))
    assert "/m/01yrx" in below(children, "/m/0jbk")
