"""A data set whose work a cluster does: `status` beside a fetch, and `dedupe` of what is in an object store."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from curator.catalog import Stage
from curator.fetch.cluster.spread import Spread
from curator.inspect.status import read_status
from curator.manifests.project import Project
from curator.manifests.settings import EngineSettings
from curator.pipeline import run_stages as pipeline
from curator.store.image_store import are_in_shards
from curator.store.paths import DataPaths
from curator.store.shards import shard_store
from tests.cluster.test_killed import wait_for
from tests.ledger_file import query
from tests.small_worlds import recipe_text, small_project, write_folder

FETCH = """
import sys
from curator.cli.app import start
from curator.fetch.cluster import fetch_fragments

fetch_fragments.MOST_ROWS = 30
sys.argv = ["curator", "fetch", "--recipe", sys.argv[1], "--data", sys.argv[2], "--quiet"]
start()
"""


def count_committed(paths: DataPaths) -> int:
    """Count the addresses that the ledger has pictures of."""
    if not paths.catalog(Stage.LISTED).exists():  # which is later than the tables of the ledger
        return 0
    return int(query(paths.attempts, "SELECT COUNT(DISTINCT address) FROM attempts WHERE outcome = 'ok'")[0][0])


def test_status_beside_a_fetch_counts_what_is_committed(nodes, make_web, tmp_path: Path) -> None:
    """Its figures grow, and none is of what no commit has brought; the command itself says them, too."""
    web = make_web(4, latency_s=0.1)
    urls = web.urls(400)
    (tmp_path / "list.csv").write_text(
        "label,url\n" + "".join(f"{'rugby' if number % 2 else 'soccer'},{url}\n" for number, url in enumerate(urls)),
        encoding="utf-8",
    )
    text = f"""
name = "small"
labels = ["rugby", "soccer"]
[[sources]]
kind = "url-list"
path = "{(tmp_path / "list.csv").as_posix()}"
[fetch]
allow_private_hosts = true
per_host = 2
[balance]
per_class = "max"
[engine]
kind = "ray"
address = "{nodes.address}"
"""
    project = small_project(tmp_path, text)
    paths, seen = project.paths, list[int]()
    recipe, data = paths.manifest.parent / "recipe.toml", paths.folder.parent
    fetch = subprocess.Popen([sys.executable, "-c", FETCH, str(recipe), str(data)])
    typed = [sys.executable, "-m", "curator", "status", "--json", "--recipe", str(recipe), "--data", str(data)]
    said: dict[str, Any] = {}
    try:
        wait_for(lambda: count_committed(paths) > 0 or fetch.poll() is not None)
        while fetch.poll() is None:
            least = count_committed(paths)
            status = read_status(project)
            most = count_committed(paths)
            if (going := status.unfinished) is None or not going.is_running:
                continue
            figures = going.as_json()
            assert least <= figures["kept"] <= most and figures["stored"] == figures["kept"]
            assert figures["kept"] + figures["waiting"] == figures["listed"] == len(urls)
            seen.append(figures["kept"])
            if len(seen) == 1:
                said = json.loads(subprocess.run(typed, capture_output=True, text=True, check=True).stdout)
    finally:
        fetch.send_signal(signal.SIGINT)
    assert fetch.wait(60) == 0
    assert seen == sorted(seen) and len({*seen}) >= 3 and seen[0] < len(urls)
    assert said["unfinished"]["is_running"] and seen[0] <= said["kept"] <= len(urls)
    assert (read_status(project).counts["kept"], read_status(project).unfinished) == (len(urls), None)


def test_what_is_in_an_object_store_is_deduped_the_same(nodes, tmp_path: Path, monkeypatch) -> None:
    """Whoever reads the shards: the catalog is the same to the byte, and so is what was seen of pairs."""
    pytest.importorskip("obstore", reason="the extra cloud is not installed")
    monkeypatch.setattr(shard_store, "N_SPARED", 0)
    photos, calls, spread = write_folder(tmp_path / "photos", 12), Counter[str](), Spread.map
    for number in range(6):
        with Image.open(photos / "rugby" / f"{number:03d}.jpg") as picture:
            picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(photos / "rugby" / f"m{number}.jpg", quality=80)
            picture.crop((8, 6, 152, 114)).save(photos / "rugby" / f"c{number}.jpg", quality=80)
    store = f'[store]\nurl = "{(tmp_path / "store").as_uri()}"\ncache_gb = 0\n'
    first = small_project(tmp_path / "local", recipe_text(photos, "max", more=store))
    pipeline.fetch(first)
    shutil.copytree(first.paths.folder, tmp_path / "ray" / "data" / "small")
    monkeypatch.setattr(Spread, "map", lambda *given: calls.update([given[1].__name__]) or spread(*given))
    made = {}
    for kind in ("local", "ray"):
        paths = replace(first.paths, data_root=tmp_path / kind / "data")
        engine = EngineSettings(kind, nodes.address if kind == "ray" else "")
        found = pipeline.decide(Project(replace(first.recipe, engine=engine), paths), Stage.DEDUPED, {}).table
        assert all(are_in_shards(paths, found["sha256"]))
        made[kind] = paths.catalog(Stage.DEDUPED).read_bytes(), paths.judged.read_bytes()
        assert set(calls) == ({"search_part", "summarise_part", "judge_elsewhere"} if kind == "ray" else set())
    assert made["local"][0] == made["ray"][0]
    assert made["local"][1] == made["ray"][1]
    assert (found["drop_reason"].dropna() == "near-duplicate").sum() == 12
