"""A small curated data set and its review, served on a free port by a thread or by the command line."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from curator.catalog import Stage
from curator.embed.row_file import RowFile
from curator.manifests.project import Project
from curator.pipeline import run_stages as pipeline
from curator.store.map_file import PictureMap, write_map
from curator.store.suspects_file import Suspects, write_suspects
from tests.small_worlds import picture, recipe_text, small_project, write_folder

server = pytest.importorskip("curator.review.server", reason="the extra `review` is not installed")


def wait_until(happened: Callable[[], Any], limit_s: float = 120.0) -> Any:
    """Wait for a condition; fail where it does not come in time."""
    end = time.monotonic() + limit_s
    while not (found := happened()):
        assert time.monotonic() < end, "did not happen in time"
        threading.Event().wait(0.02)
    return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Eight pictures a label; of rugby a mirrored copy, a tiny one and a page, and one picture under both labels."""
    root = write_folder(tmp_path / "photos", 8)
    picture(1, (120, 90)).save(root / "rugby" / "smaller.jpg", quality=90)
    picture(77, (40, 30)).save(root / "rugby" / "tiny.jpg")
    (root / "rugby" / "page.jpg").write_text("<!DOCTYPE html><title>gone</title>")
    (root / "soccer" / "both.jpg").write_bytes((root / "rugby" / "005.jpg").read_bytes())
    made = small_project(tmp_path, recipe_text(root, per_class="max"))
    pipeline.fetch(made)
    pipeline.decide(made, Stage.SPLIT, {})
    return made


def suspect(project: Project, rows: Sequence[dict[str, Any]]) -> None:
    """Write what ``curator suspects`` would: two wrong labels, an outlier and a blurred picture."""
    other = {"rugby": "soccer", "soccer": "rugby"}
    table = pd.DataFrame(
        {
            "record_id": [row["record_id"] for row in rows],
            "sha256": [row["sha256"] for row in rows],
            "label": [row["label"] for row in rows],
            "suspicion": [0.8, 0.95, 0.1, 0.2],
            "suggested_label": [other[rows[0]["label"]], other[rows[1]["label"]], None, None],
            "likeliest_other": [other[row["label"]] for row in rows],
            "own_probability": [0.2, 0.1, 0.9, 0.8],
            "other_probability": [0.8, 0.9, 0.1, 0.2],
            "strangeness": [0.1, 0.1, 0.9, 0.1],
            "is_outlier": [False, False, True, False],
            "low_quality": [[], [], [], ["blurred"]],
            "evidence": [["looks unlike its label"]] * 4,
            "neighbours": [[]] * 4,
        }
    )
    write_suspects(project.paths.suspects, Suspects(table, "", "a network"))


def draw(project: Project, rows: Sequence[dict[str, Any]]) -> None:
    """Write features and a map of rows: a label a column of it; within a label the first are alike, then less so."""
    sha256s = list(dict.fromkeys(row["sha256"] for row in rows))
    labels = {row["sha256"]: row["label"] == "soccer" for row in rows}
    places = np.linspace(0, 1, len(sha256s), dtype=np.float32)
    vectors = np.stack([[1 - labels[one], labels[one], place] for one, place in zip(sha256s, places, strict=True)])
    file = RowFile(project.paths.features / "features-made-up.npy", [("features", "<f4", (3,))])
    file.add(sha256s, features=vectors)
    points = np.stack([[0.1 + 0.8 * labels[one] for one in sha256s], places], axis=1).astype(np.float32)
    write_map(project.paths.features, PictureMap(sha256s, points, "tsne", file.path.name))


@dataclass
class Served:
    """A running review."""

    address: str
    port: int
    token: str

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: Any = None,
        headers: dict[str, str] | None = None,
        token: bool = True,
    ) -> tuple[int, Any, dict[str, str]]:
        """Send one request below the token; give status, body (JSON where it is) and headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        sent = {"x-curator-token": self.token} if method == "POST" and token else {}
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body)
        try:
            connection.request(method, f"/{self.token}/{path}" if token else path, data, sent | (headers or {}))
            answer = connection.getresponse()
            raw, found = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()
        is_json = found.get("content-type", "") == "application/json"
        return answer.status, json.loads(raw) if is_json else raw, found

    def rows(self, **query: str) -> list[dict[str, Any]]:
        """Select and give all rows."""
        parameters = "&".join(f"{name}={value}" for name, value in query.items())
        chosen = self.ask(f"select?{parameters}")[1]
        return list(self.ask(f"rows?selection={chosen['selection']}&offset=0&limit=500")[1]["rows"])


@contextmanager
def serving(project: Project) -> Iterator[Served]:
    """Serve the review of a project by a thread of this process."""
    told: list[str] = []
    running: list[Any] = []

    class Noted(server.uvicorn.Server):
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            running.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server.uvicorn, "Server", Noted)
        work = (project, "ann", 0, lambda address, n_images: told.append(address))
        thread = threading.Thread(target=server.serve_review, args=work)
        thread.start()
        address = wait_until(lambda: told and running and running[0].started and told[0])
        yield Served(address, int(address.split(":")[2].split("/")[0]), address.split("/")[3])
        running[0].should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def served(project: Project) -> Iterator[Served]:
    """The review of the project."""
    with serving(project) as running:
        yield running


@pytest.fixture
def mapped(served: Served, project: Project) -> Served:
    """The same, once its kept pictures are on a map."""
    draw(project, served.rows(fate="kept"))
    return served
