"""The lists, tables and recipe: the project's own sources read them, and list exactly what was planted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import requests

from curator.demo.listing import NOT_LISTED
from curator.demo.server import Served, serve
from curator.demo.site import BOX_COLUMNS, IMAGE_COLUMNS, LABEL_COLUMNS, recipe_text
from curator.demo.truth import world_truth
from curator.manifests.read_recipe import parse_recipe
from curator.manifests.recipe import Recipe
from curator.manifests.settings import FetchSettings
from curator.sources.base import ListingContext
from curator.sources.imagenet.imagenet_source import Imagenet
from curator.sources.registry import source_kinds

PRIVATE = FetchSettings(allow_private_hosts=True)


def read(served: Served) -> Recipe:
    return parse_recipe(recipe_text(served.world, served.base_url, served.proxy), source_kinds())


def list_all(recipe: Recipe, cache_dir: Path) -> pd.DataFrame:
    context = ListingContext(recipe.labels, cache_dir, fetch=recipe.fetch)
    parts = []
    for source in recipe.sources:
        parts += [source.list_images(tier, recipe.labels, context) for tier in range(source.n_tiers)]
    return pd.concat(parts, ignore_index=True)


def test_the_recipe_is_valid_and_asks_for_what_there_is(served: Served) -> None:
    """It names both real sources, this machine, and a target beyond everything planted."""
    recipe = read(served)
    assert (recipe.name, recipe.labels) == ("demo", ("rugby", "soccer"))
    assert recipe.fetch.allow_private_hosts
    assert recipe.fetch.target >= len(served.world.listings)
    assert recipe.balance.per_class == served.world.per_class


def test_the_sources_list_exactly_what_was_planted(served: Served, tmp_path: Path) -> None:
    """Every positive row is listed under its id and address; verified negatives, garbage and other classes are not."""
    table = list_all(read(served), tmp_path)
    truth = world_truth(served.world, served.origins)
    planted = truth[truth["expected"] != NOT_LISTED]
    keys = ["label", "source_id", "url"]
    assert set(map(tuple, table[keys].astype(str).to_numpy())) == set(map(tuple, planted[keys].to_numpy()))
    assert len(table) == len(planted)


def test_licence_author_and_page_travel_with_open_images(served: Served, tmp_path: Path) -> None:
    """Each Open Images row has them; where the bucket may fail, the original address is behind it."""
    table = list_all(read(served), tmp_path)
    rows = table[table["kind"] == "open-images"]
    assert rows[["license", "author", "author_url", "landing_url"]].notna().to_numpy().all()
    assert rows.loc[rows["tier"] < 2, "fallback_url"].str.startswith(served.origins["farm"]).all()


def test_behind_a_proxy_the_listing_does_not_depend_on_the_port(served: Served, tmp_path: Path) -> None:
    """Record ids and URLs are the same on any port: what a golden manifest needs."""
    tables = []
    for index in range(2):
        with serve(served.world, port=0, as_proxy=True) as proxied:
            tables.append(list_all(read(proxied), tmp_path / str(index)))
    assert tables[0].equals(tables[1])
    assert tables[0]["url"].str.contains("127.0.0.1:1/|example/", regex=True).all()


@pytest.mark.parametrize("form", ["/api/imagenet.synset.geturls?wnid={wnid}", "/fall11_urls.txt"])
def test_the_other_two_forms_of_imagenet_lists_hold_the_same_urls(served: Served, tmp_path: Path, form: str) -> None:
    """A bare list a synset, and the whole list with tabs."""
    synsets = {label: (names.wnid,) for label, names in served.world.labels.items()}
    context = ListingContext(tuple(synsets), tmp_path, fetch=PRIVATE)
    listed = Imagenet(synsets=synsets, urls=(served.base_url + form,)).list_images(0, tuple(synsets), context)
    planted = {row.url(served.origins) for row in served.world.listings if row.source == "imagenet"}
    assert set(listed["url"]) == planted


def test_the_retired_endpoint_answers_html_with_status_200(served: Served) -> None:
    """As the real one did when it died: a program that trusts the status would list a web page."""
    answer = requests.get(f"{served.base_url}/retired/api/imagenet.synset.geturls?wnid=n00470966", timeout=60)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")


@pytest.mark.parametrize(
    ("path", "columns"),
    [
        ("v7/oidv7-val-annotations-human-imagelabels.csv", LABEL_COLUMNS),
        ("v7/oidv7-train-annotations-machine-imagelabels.csv", LABEL_COLUMNS),
        ("v6/oidv6-train-annotations-bbox.csv", BOX_COLUMNS),
        ("v5/test-annotations-bbox.csv", BOX_COLUMNS),
        ("2018_04/validation/validation-images-with-rotation.csv", IMAGE_COLUMNS),
        ("2018_04/train/train-images-boxable-with-rotation.csv", IMAGE_COLUMNS),
        ("2018_04/image_ids_and_rotation.csv", IMAGE_COLUMNS),
    ],
)
def test_tables_have_the_official_names_and_columns(served: Served, path: str, columns: tuple[str, ...]) -> None:
    """The header line is the official one and rows follow it."""
    lines = requests.get(f"{served.base_url}/openimages/{path}", timeout=60).text.splitlines()
    assert lines[0] == ",".join(columns)
    assert len(lines) > 1


@pytest.mark.parametrize("labels_from", ["machine", "boxes"])
def test_machine_labels_and_boxes_list_images_too(served: Served, tmp_path: Path, labels_from: str) -> None:
    """The other two kinds of label table are served as well."""
    text = recipe_text(served.world, served.base_url).replace(
        'kind = "open-images"', f'kind = "open-images"\nlabels_from = "{labels_from}"'
    )
    recipe = parse_recipe(text, source_kinds())
    context = ListingContext(recipe.labels, tmp_path, fetch=recipe.fetch)
    listed = recipe.sources[1].list_images(0, recipe.labels, context)
    assert set(listed["label"]) == {"rugby", "soccer"}
