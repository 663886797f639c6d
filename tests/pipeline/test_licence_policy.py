"""A licence policy: what is not allowed is never requested, all rows add up, and what is kept is credited whole."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import curator
from curator.catalog import Drop
from curator.cli.app import app
from curator.events import Event, Noted
from tests.small_webs import PictureHandler, serving

STATED = (
    *(
        "https://creativecommons.org/licenses/by/2.0/",
        "CC BY-SA 4.0",
        "CC BY-NC 4.0",
        "CC_BY_4_0",
        "7",
        "Public domain",
    ),
    *("no idea", "", "CC0", "https://creativecommons.org/licenses/by/2.0/deed.en"),
)
"""Five of ten are allowed, and one with ``unknown = "keep"`` for each of the two that are unknown."""
ALLOW = 'allow = ["CC0", "CC-BY", "CC-BY-SA", "PDM"]'


class Web(PictureHandler):
    """Serves pictures, and notes which were requested."""

    requested: list[str] = []  # noqa: RUF012 (emptied by the fixture)

    def do_GET(self) -> None:  # noqa: N802
        self.requested.append(self.path)
        self.send_picture()


def write_recipe(root: Path, policy: str) -> Path:
    path = root / "manifests" / "free" / "recipe.toml"
    sources = "".join(
        f'[[sources]]\nkind = "url-list"\nname = "{one}"\npath = "{one}.csv"\n' for one in ("mute", "stated")
    )
    balance = '[fetch]\nallow_private_hosts = true\n[balance]\nper_class = "all"\n'
    path.write_text(f'name = "free"\nlabels = ["a", "b"]\n{sources}{balance}{policy}\n')
    return path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """A project with two lists: one states licences and authors, the other, before it, two of the same addresses."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CURATOR_RECIPE", raising=False)
    (tmp_path / "manifests" / "free").mkdir(parents=True)
    monkeypatch.setattr(Web, "requested", [])
    with serving(Web) as port:
        rows = [
            (f"http://127.0.0.1:{port}/{100 * (label == 'b') + n}.jpg", label, stated, f"Ann {n}" if n else "")
            for label in ("a", "b")
            for n, stated in enumerate(STATED)
        ]
        table = pd.DataFrame(rows, columns=["url", "label", "license", "author"])
        table.to_csv(tmp_path / "manifests" / "free" / "stated.csv", index=False)
        mute = table[table["url"].str.contains("/(?:0|100|2|102).jpg")][["url", "label"]]
        mute.to_csv(tmp_path / "manifests" / "free" / "mute.csv", index=False)
        yield tmp_path


def test_what_is_not_allowed_is_never_requested(root: Path) -> None:
    """Rows in = rows kept + rows out by reason; counted by licence, said in words, credited in exports, undone."""
    path = write_recipe(root, f"[licence]\n{ALLOW}")
    heard: list[Event] = []
    plan = curator.open(path, emit=heard.append).plan(everything=True)
    assert (Web.requested, plan.counts["listed"], plan.counts["kept"]) == ([], 20, 12)
    said = [str(event.message) for event in heard if isinstance(event, Noted) and "[licence]" in str(event.message)]
    assert said == [
        "mute: of 4 images, [licence] leaves out 4: licence not stated 4",
        "stated: of 20 images, [licence] leaves out 8: CC BY-NC 4.0 2, licence not stated 2, no idea 2, "
        "no known copyright restrictions 2",
    ]
    data = curator.open(path, emit=heard.append)
    result = data.split()
    out = {Drop.LICENCE_NOT_ALLOWED: 4, Drop.LICENCE_UNKNOWN: 4}
    assert result.counts == {"listed": 20, "kept": 12, "dropped": out}
    assert len(Web.requested) == len(set(Web.requested)) == 12
    assert {"/2.jpg", "/102.jpg", "/4.jpg", "/6.jpg", "/7.jpg"}.isdisjoint(Web.requested)
    details = set(data.table["drop_detail"].dropna())
    assert details == {
        "CC BY-NC 4.0 (CC-BY-NC-4.0)",
        "no known copyright restrictions (LicenseRef-No-Known-Copyright)",
        "'no idea' is no licence that is known here",
        "no licence is stated",
    }
    kept = {"CC-BY-2.0": 4, "CC-BY-SA-4.0": 2, "CC-BY-4.0": 2, "LicenseRef-Public-Domain": 2, "CC0-1.0": 2}
    counted = data.status().as_json()["licences"]
    assert {name: part["kept"] for name, part in counted.items() if part["kept"]} == kept
    assert sum(part["listed"] for part in counted.values()) == 20
    shown = CliRunner().invoke(app, ["status"]).output
    assert "licences: CC BY 2.0 4, CC BY 4.0 2, CC BY-SA 4.0 2, CC0 1.0 2, public domain 2" in " ".join(shown.split())
    assert data.report().exists()

    folder = data.export("coco").path
    known = json.loads((folder / "annotations" / "train.json").read_text())["licenses"]
    assert {one["spdx"]: one["name"] for one in known}["CC-BY-2.0"] == "CC BY 2.0" and len(known) == 5
    credits = (folder / "ATTRIBUTION.md").read_text()
    manifest = data.manifest
    assert all(credits.count(f"(`{record}`)") == 1 for record in manifest["record_id"])
    assert "## [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/) (`CC-BY-2.0`)\n\n4 images" in credits
    assert "Of 2 images under a licence that asks to name the author, the source names none." in credits
    assert "each is the file as it was served" in credits.lower()
    card = (folder / "README.md").read_text()
    assert "| CC BY 2.0 | 4 | `CC-BY-2.0` |" in card and f"- `[licence]` {ALLOW.split(' = ')[0]}" in card
    table = pd.read_parquet(next((data.export("parquet").path / "data").glob("train*.parquet")))
    assert set(table["license_spdx"]) <= set(kept)


def test_another_policy_takes_effect_without_a_request_in_vain(root: Path) -> None:
    """`status` says so before; what is allowed now is fetched, what is not any more leaves; the store keeps it."""
    data = curator.open(write_recipe(root, f"[licence]\n{ALLOW}"))
    data.split()
    n_requests = len(Web.requested)
    data = curator.open(write_recipe(root, f'[licence]\n{ALLOW}\nunknown = "keep"'))
    assert any("unknown ('drop', now 'keep')" in str(text) for text in data.status().news)
    result = data.split()
    assert (result.counts["kept"], result.counts["dropped"]) == (16, {Drop.LICENCE_NOT_ALLOWED: 4})
    assert len(Web.requested) == n_requests + 4
    data = curator.open(write_recipe(root, '[licence]\nallow = ["CC0", "CC-BY-SA"]'))
    assert 'allow (["CC0", "CC-BY", "CC-BY-SA", "PDM"], now ["CC0", "CC-BY-SA"])' in str(data.status().news)
    assert data.split().counts["kept"] == 4 and len(Web.requested) == n_requests + 4
    data = curator.open(write_recipe(root, ""))
    assert data.split().counts["kept"] == 20 and len(Web.requested) == n_requests + 8
