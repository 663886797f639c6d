"""A source has one way to list, as an Arrow table or as a DataFrame; the other is made of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from curator.cli.arrow_alone import needs_no_pandas
from curator.sources.base import ListingContext, Source, listed_rows, listed_table
from curator.sources.coco.coco_source import Coco
from curator.sources.folder.folder_source import Folder

COLUMNS = {
    "label": ["a", "b", "a"],
    "key": ["1", "2", "1"],
    "url": ["http://e.org/1", "http://e.org/2", "http://e.org/1"],
}
CONTEXT = ListingContext(("a", "b"), Path())


class Tables(Source):
    """Lists an Arrow table."""

    name = kind = "tables"

    def list_rows(self, tier, labels, context):
        return listed_table(self.kind, self.name, tier, COLUMNS)


class Frames(Source):
    """Lists a DataFrame."""

    name = kind = "tables"

    def list_images(self, tier, labels, context):
        return listed_rows(self.kind, self.name, tier, COLUMNS)


class FewerFrames(Tables):
    """Lists some of what another source lists."""

    def list_images(self, tier, labels, context):
        rows = super().list_images(tier, labels, context)
        return rows[rows["label"] == "b"]


class FewerTables(Frames):
    """Lists some of what another source lists."""

    def list_rows(self, tier, labels, context):
        return super().list_rows(tier, labels, context)[1:]


class Again(FewerFrames):
    """Lists the same as another source."""


@pytest.mark.parametrize(
    ("kind", "labels", "is_table"),
    [
        (Tables, ["a", "b"], True),
        (Frames, ["a", "b"], False),
        (FewerFrames, ["b"], False),
        (FewerTables, ["b"], True),
        (Again, ["b"], False),
    ],
)
def test_both_ways_list_the_same(kind, labels, is_table):
    """Whichever a source has, and whichever the source has that it is made of."""
    source = kind()
    table, frame = source.list_rows(0, ("a", "b"), CONTEXT), source.list_images(0, ("a", "b"), CONTEXT)
    assert table["label"].to_pylist() == frame["label"].tolist() == labels
    assert kind.lists_tables is is_table


def test_a_source_without_a_way_says_so():
    """And a table that lacks columns is of nobody's making."""
    with pytest.raises(NotImplementedError, match="Source has neither"):
        Source().list_rows(0, (), CONTEXT)

    class Odd(Source):
        name = kind = "odd"

        def list_images(self, tier, labels, context):
            return pd.DataFrame({"url": ["http://e.org/1"]})

    with pytest.raises(TypeError, match=r"lacks .*label.*make it with listed_rows"):
        Odd().list_rows(0, (), CONTEXT)


def test_a_source_of_somebody_else_has_the_arrow_that_knows_pandas():
    """Else a Series that it hands over would be read by its index."""

    def recipe_of(*sources):
        fetch, engine = SimpleNamespace(rescue=""), SimpleNamespace(kind="local")
        return SimpleNamespace(recipe=SimpleNamespace(sources=sources, fetch=fetch, engine=engine))

    assert needs_no_pandas(recipe_of(Folder(path="photos")))
    assert not needs_no_pandas(recipe_of(Folder(path="photos"), Tables()))
    assert not needs_no_pandas(recipe_of(Coco(path="instances.json")))
