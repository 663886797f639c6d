"""The fault lab as a fixture, and ways to fetch from it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from curator.events import Listener, ignore
from curator.fetch.fetch_images import fetch_images
from curator.fetch.plan import FetchOptions
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.settings import FetchSettings, QualitySettings
from curator.sources.base import listed_rows
from curator.store.paths import DataPaths

LAB = Path(__file__).parents[1] / "fault_lab" / "server.py"


@dataclass(frozen=True)
class FaultLab:
    """A running fault lab: the base of the URLs of each fault."""

    bases: dict[str, str]

    def url(self, fault: str, path: str = "/a.jpg") -> str:
        return self.bases[fault] + path

    def counts(self) -> dict[str, int]:
        """How often each URL was asked for."""
        with urllib.request.urlopen(self.url("control", "/counts")) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def lab() -> Iterator[FaultLab]:
    """A running fault lab."""
    with subprocess.Popen([sys.executable, str(LAB)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield FaultLab(json.loads(process.stdout.readline()))
        process.stdin.close()


@pytest.fixture(scope="session")
def listed() -> Callable[..., pd.DataFrame]:
    """Make a catalog that lists these URLs under one label, with further columns where given."""

    def make(urls: Sequence[str | None], **columns: Sequence[object]) -> pd.DataFrame:
        keys = [f"{number} {url}" for number, url in enumerate(urls)]
        return listed_rows("url-list", "web", 0, {"label": ["ball"] * len(urls), "key": keys, "url": urls, **columns})

    return make


@dataclass
class Shelf:
    """A data folder of a test's own, and the settings of its fetches."""

    paths: DataPaths
    settings: FetchSettings

    def project(
        self, settings: FetchSettings | None = None, quality: QualitySettings | None = None, emit: Listener = ignore
    ) -> Project:
        recipe = Recipe("balls", ("ball",), (), settings or self.settings, quality or QualitySettings())
        return Project(recipe, self.paths, emit)

    def fetch(self, table: pd.DataFrame, **options: Any) -> pd.DataFrame:
        kept = {name: options.pop(name) for name in ("settings", "quality", "emit") if name in options}
        return fetch_images(table, self.project(**kept), FetchOptions(**options))

    def stored(self) -> list[Path]:
        return sorted(path for path in self.paths.images.rglob("*") if path.is_file())


@pytest.fixture
def shelf(tmp_path: Path, make_shelf: Callable[[Path], Shelf]) -> Shelf:
    """An empty data folder of the test's own."""
    return make_shelf(tmp_path)


@pytest.fixture(scope="session")
def reasons() -> Callable[[pd.DataFrame], list[str | None]]:
    """Give the drop reason of each row, None where it is kept."""
    return lambda table: [reason if isinstance(reason, str) else None for reason in table["drop_reason"]]


@pytest.fixture(scope="session")
def make_shelf() -> Callable[[Path], Shelf]:
    """Make a data folder with settings under which faults are quick."""
    settings = FetchSettings(allow_private_hosts=True, timeout_s=5.0, retries=1)
    return lambda folder: Shelf(DataPaths(folder, folder, "balls"), settings)


@pytest.fixture(scope="session")
def lab_photo() -> bytes:
    """A small JPEG."""
    buffer = io.BytesIO()
    Image.effect_noise((120, 90), 50).save(buffer, "JPEG")
    return buffer.getvalue()
