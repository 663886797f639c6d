"""A probe really asks, wastes nothing, and predicts what the whole fetch then finds."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from curator import catalog
from curator.cli.fetch import fetch
from curator.cli.forecast import forecast_answer
from curator.cli.terminal import Terminal
from curator.dataset import Dataset
from curator.demo.photos import photo_world
from curator.demo.server import Served, serve
from curator.demo.site import recipe_text
from curator.errors import CuratorError
from curator.inspect.forecast.prediction import Effort, estimate_effort, needed_time
from curator.inspect.forecast.probe import Forecast, in_words, probe
from curator.manifests.project import Project
from curator.manifests.read_recipe import parse_recipe
from curator.manifests.settings import FetchSettings
from curator.pipeline import run_stages as pipeline
from curator.pipeline.acquire import AcquireOptions, plan_listing
from curator.sources.registry import source_kinds
from curator.store.paths import DataPaths

PICTURES = Path(__file__).parents[1] / "golden" / "pictures"
SETTINGS = FetchSettings(connections=64, per_host=8)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """Some 40 pictures and six dead links, listed in two sources; no port in an address, so one sample each time."""
    with serve(photo_world(PICTURES), port=0, as_proxy=True) as world:
        yield world


@pytest.fixture
def project(served: Served, tmp_path: Path) -> Project:
    """A project on them that wants ten images a label."""
    served.requests.clear()
    text = recipe_text(served.world, served.base_url, served.proxy).replace('per_class = "max"', "per_class = 10")
    recipe = parse_recipe(text, source_kinds())
    return Project(recipe, DataPaths(tmp_path / "data", tmp_path / "manifests", recipe.name))


def asked(served: Served) -> dict[str, int]:
    """How often each image was asked for."""
    skipped = ("/api/", "/retired/", "/openimages/")
    return {a.path: n for a, n in served.requests.items() if not a.path.startswith(skipped)}


def ask(project: Project, n: int) -> Forecast:
    everything = AcquireOptions(everything=True)
    return probe(project, plan_listing(project, everything), n, everything)


def test_a_probe_asks_for_so_many_and_no_fetch_asks_again(project: Project, served: Served) -> None:
    """Every label and source has its share; the ledger keeps the answers; then the fetch asks for the rest alone."""
    forecast = ask(project, 12)
    first = asked(served)
    assert forecast.n_requested == forecast.n_tried == 12
    assert 12 <= sum(first.values()) <= 12 + 6  # a bucket's gap makes two requests of one image
    assert all(stratum.n_tried for stratum, _ in forecast.strata)
    assert not project.paths.catalog(catalog.Stage.FETCHED).exists()
    pipeline.fetch(project, AcquireOptions(everything=True))
    assert all(n == 1 for n in asked(served).values())
    assert first.keys() < asked(served).keys()


def test_the_sample_is_fixed_by_the_seed(project: Project, served: Served, tmp_path: Path) -> None:
    """The same addresses on another machine."""
    ask(project, 9)
    first = set(asked(served))
    served.requests.clear()
    elsewhere = Project(project.recipe, DataPaths(tmp_path / "other", tmp_path / "m", project.recipe.name))
    ask(elsewhere, 9)
    assert set(asked(served)) == first


def test_a_second_probe_asks_for_others_and_narrows_the_interval(project: Project) -> None:
    """Until all is known, and the forecast is what the fetch finds."""
    widths = []
    for n in (6, 16, 1_000):
        forecast = ask(project, n)
        widths.append(sum(p.high - p.low for p in forecast.labels.values()))
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == 0
    assert forecast.n_requested < 1_000
    assert forecast.effort.n_requests == 0
    table = pipeline.fetch(project, AcquireOptions(everything=True)).table
    found = catalog.kept(table)["label"].value_counts().to_dict()
    assert {label: p.expected for label, p in forecast.labels.items()} == found


def test_the_intervals_hold_what_the_fetch_then_finds(project: Project) -> None:
    """With half of it asked; and the requests foreseen are those that remain."""
    forecast = ask(project, 20)
    n_listed = sum(stratum.n_listed for stratum, _ in forecast.strata)
    assert forecast.effort.n_requests == n_listed - 20
    assert forecast.effort.seconds > 0
    table = pipeline.fetch(project, AcquireOptions(everything=True)).table
    for label, n in catalog.kept(table)["label"].value_counts().items():
        assert forecast.labels[label].low <= n <= forecast.labels[label].high


def test_what_cannot_be_asked_is_foreseen_to_fail(tmp_path: Path) -> None:
    """Addresses of other schemes are listed, never asked, and yield nothing."""
    (tmp_path / "list.csv").write_text("url,label\nftp://h.example/1.jpg,a\nftp://h.example/2.jpg,b\n")
    text = 'name = "x"\nlabels = ["a", "b"]\n[[sources]]\nkind = "url-list"\npath = "list.csv"\n'
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    made = Project(parse_recipe(text, source_kinds(), path), DataPaths(tmp_path / "data", tmp_path, "x"))
    forecast = ask(made, 5)
    assert (forecast.n_requested, forecast.effort) == (0, Effort())
    assert [p.high for p in forecast.labels.values()] == [0, 0]


def test_a_forecast_fits_80_columns_and_says_how(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures with intervals, whether per_class is in reach, the cost, and where it comes from; JSON has the same."""
    dataset = Dataset(project)
    forecast_answer(dataset, dataset.forecast(1_000, everything=True)).finish(Terminal(), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80 and "\x1b" not in "".join(lines)
    assert any(line.startswith("rugby: 10 are in reach: ") for line in lines)
    assert any(line.startswith("to come: about 0 requests") for line in lines)
    assert any("intervals" in line for line in lines)
    forecast_answer(dataset, dataset.forecast(3, everything=True)).finish(Terminal(), as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["asked"] == 0 and told["labels"]["rugby"]["reach"] == "in reach"
    assert {"seconds", "bytes", "requests", "strata", "how"} <= told.keys()


def test_a_probe_without_a_plan_is_refused(project: Project) -> None:
    """In one paragraph, before anything is listed."""
    with pytest.raises(CuratorError, match="--probe goes with --plan"):
        inspect.unwrap(fetch)(Dataset(project), probe=5)


def test_the_busiest_host_or_all_together_set_the_time() -> None:
    """Little's law for each host and for all; a bulk host allows more; a delay sets the pace."""
    per_host = pd.DataFrame({"requests": [800.0, 40.0], "seconds": [2.0, 1.0]}, index=["slow", "fast"])
    assert needed_time(per_host, SETTINGS, {}) == (200, "slow")
    assert needed_time(per_host, SETTINGS, {"slow": 64}) == (pytest.approx(1640 / 64), "")
    assert needed_time(per_host, replace(SETTINGS, delay_s=1.0), {}) == (800, "slow")


def test_effort_takes_a_hosts_own_seconds_and_a_stratums_own_bytes() -> None:
    """A host that was never asked takes the mean; shares weigh the requests."""
    tried = pd.DataFrame(
        {"host": ["a", "a", "b"], "stratum": [0, 0, 1], "seconds": [1.0, 3.0, 8.0], "n_bytes": [10, 30, 5]}
    )
    left = pd.DataFrame(
        {"host": ["a"] * 16 + ["c"] * 4, "stratum": [0] * 16 + [1] * 4, "share": [0.5] * 16 + [1.0] * 4}
    )
    effort = estimate_effort(tried, left, SETTINGS, {})
    assert (effort.n_requests, effort.n_bytes) == (12, 8 * 20 + 4 * 5)
    assert (effort.seconds, effort.slowest) == (8 * 2 / 8, "a")  # 8 requests of 2 s; of c 4 of the mean 4 s: as long


@pytest.mark.parametrize(("chance", "word"), [(1, "in reach"), (0.7, "likely"), (0.1, "unlikely"), (0, "out of reach")])
def test_chances_have_words(chance: float, word: str) -> None:
    """Four of them."""
    assert in_words(chance) == word
