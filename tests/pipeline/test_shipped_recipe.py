"""The recipe that comes with the project reaches its 1,224 a class without ImageNet, and goes on without any source."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import curator
from curator.cli.app import app
from curator.dataset import Dataset
from curator.events import Event, Warned
from curator.sources.reading import json_api, resume
from tests.small_webs import serving
from tests.sources.small_commons import Commons, handler_of

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "manifests" / "rugby-soccer" / "recipe.toml"
SEARCHES = ("rugby match", "rugby scrum", "rugby lineout", "soccer match", "soccer player", "football goalkeeper")


@pytest.fixture
def commons(monkeypatch: pytest.MonkeyPatch) -> Iterator[Commons]:
    """A site that has what the recipe names: few files in its categories, many that a search finds."""
    monkeypatch.setattr(json_api, "sleep", lambda seconds: None)
    monkeypatch.setattr(resume, "BACKOFF_S", 0.0)
    tree = {"Rugby union matches": ((), 20), "Association football matches": ((), 20)}
    site = Commons(tree, dict.fromkeys(SEARCHES, 12))
    with serving(handler_of(site)) as port:
        site.url = f"http://127.0.0.1:{port}"
        yield site
    assert not site.faults


def shipped(root: Path, site: Commons, contact: str = "test@example.org", captions: str = "") -> Path:
    """Write the shipped recipe with the addresses of this machine in the place of the Internet's."""
    (root / "captions.tsv").write_text(captions or _captions(site), encoding="utf-8")
    changed = SHIPPED.read_text("utf-8")
    for pattern, here in (
        (r'"https://(?:image-net|web\.archive)\.org[^"]*"', '"http://127.0.0.1:1/{wnid}"'),
        (r'"https://storage.googleapis.com/openimages"', '"http://127.0.0.1:1/openimages"'),
        (r'"https://storage.googleapis.com/conceptual_12m/cc12m.tsv"', f'"{root / "captions.tsv"}"'),
        (r'contact = ""', f'contact = "{contact}"\nallow_private_hosts = true\nretries = 0'),
        (r"per_class = 1224", "per_class = 20"),
        (r'kind = "wikimedia"', f'kind = "wikimedia"\napi = "{site.url}/w/api.php"'),
    ):
        changed, n = re.subn(pattern, lambda _, here=here: here, changed)  # type: ignore[misc]
        assert n, pattern
    path = root / "manifests" / "rugby-soccer" / "recipe.toml"
    path.parent.mkdir(parents=True)
    path.write_text(changed, encoding="utf-8")
    return path


def _captions(site: Commons) -> str:
    texts = {
        "a rugby player in the mud": 300,
        "a football match": 400,
        "an American football player": 500,
        "a cat": 600,
    }
    return "".join(f"{site.url}/{first + n}.jpg\t{text}\n" for text, first in texts.items() for n in range(5))


def test_a_fetch_reaches_its_count_without_imagenet(commons: Commons, tmp_path: Path) -> None:
    """Wikimedia and captions bring it; ImageNet and Open Images are a warning each, and 40 images are published."""
    heard: list[Event] = []
    data = curator.open(shipped(tmp_path, commons), emit=heard.append)
    result = data.split()
    assert not result.missing and len(data.manifest) == 40
    warned = " ".join(str(event.message) for event in heard if isinstance(event, Warned))
    assert "The source imagenet" in warned and "The source open-images" in warned
    table = data.table
    assert set(table["source"]) == {"wikimedia", "captions"}
    assert table[table["source"] == "wikimedia"][["license", "author"]].notna().all(axis=None)


def test_a_plan_says_what_each_source_would_bring(commons: Commons, tmp_path: Path, monkeypatch) -> None:
    """Rows of each label, licences as stated, which could not be listed; no image is requested; it fits 80 columns."""
    path = shipped(tmp_path, commons)
    monkeypatch.chdir(tmp_path)
    plan = curator.open(path, emit=lambda event: None).plan()
    offers = {offer.source: offer for offer in plan.offers}
    assert list(offers) == ["imagenet", "open-images", "wikimedia", "captions"]
    assert offers["captions"].labels == {"rugby": 5, "soccer": 5}
    assert offers["captions"].licences == {"licence not stated": 10}
    assert offers["wikimedia"].labels == {"rugby": 56, "soccer": 56}
    assert sum(offers["wikimedia"].licences.values()) == 112 and len(offers["wikimedia"].licences) == 3
    assert offers["imagenet"].failure and offers["open-images"].failure and not offers["wikimedia"].failure
    shown = CliRunner().invoke(app, ["fetch", "--plan", "--recipe", str(path)], env={"COLUMNS": "80"})
    assert shown.exit_code == 0 and "what each source would bring" in shown.output
    table = shown.stdout.partition("what each source would bring")[2].splitlines()[:10]
    assert max(map(len, table)) <= 80, table
    said = json.loads(CliRunner().invoke(app, ["fetch", "--plan", "--recipe", str(path), "--json"]).stdout)
    assert [offer["source"] for offer in said["offers"]] == list(offers)
    assert not (tmp_path / "data" / "rugby-soccer" / "images").exists()


@pytest.mark.parametrize(("contact", "captions"), [("", ""), ("test@example.org", "no header, no address\n" * 3)])
def test_without_one_source_the_others_go_on(commons: Commons, tmp_path: Path, contact: str, captions: str) -> None:
    """Nobody to write to: Wikimedia is a warning with what to write; a table without captions: another one."""
    heard: list[Event] = []
    data: Dataset = curator.open(shipped(tmp_path, commons, contact, captions), emit=heard.append)
    offers = {offer.source: offer for offer in data.plan().offers}
    gone, other = ("captions", "wikimedia") if contact else ("wikimedia", "captions")
    assert offers[gone].failure and sum(offers[other].labels.values()) > 0
    warned = [str(event.message) for event in heard if isinstance(event, Warned)]
    assert any(gone in one for one in warned), warned


def test_a_policy_shows_what_is_left_out(commons: Commons, tmp_path: Path) -> None:
    """With `[licence] allow` the captions bring nothing, and the plan says how many it leaves out."""
    path = shipped(tmp_path, commons)
    path.write_text(path.read_text() + '\n[licence]\nallow = ["CC-BY-SA"]\n')
    offers = {offer.source: offer for offer in curator.open(path, emit=lambda event: None).plan().offers}
    assert (offers["captions"].labels, offers["captions"].n_left_out) == ({"rugby": 0, "soccer": 0}, 10)
    assert list(offers["wikimedia"].licences) == ["CC BY-SA 4.0"] and offers["wikimedia"].n_left_out > 0
