"""Rows that nobody need fetch: what dedupe and all after it decide with three nodes is what one machine decides."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from types import ModuleType

import pyarrow.parquet as pq
import pytest

from curator.fetch.cluster.spread import Spread
from curator.matching import hamming, picture_matches
from curator.store.catalog_files import file_digest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
N_ROWS = int(os.environ.get("CURATOR_CLUSTER_ROWS", "20000"))


@pytest.fixture
def scale(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark that makes the rows and runs the stages, from file to file."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import bench_scale

    return bench_scale


def test_made_up_rows_end_the_same_to_the_byte(
    nodes, scale: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The catalog after each stage, and the manifest, of rows of which a twentieth are copies of others.

    No file is there, so hashes decide; what is near is searched on the nodes, and by no search of this process.
    """
    here, index = list[str](), hamming.index_hashes
    for module in (hamming, picture_matches):
        monkeypatch.setattr(module, "index_hashes", lambda *given: here.append("") or index(*given))
    calls, spread = Counter[str](), Spread.map
    monkeypatch.setattr(Spread, "map", lambda *given: calls.update([given[1].__name__]) or spread(*given))
    made, figures = {}, {}
    for kind in ("local", "ray"):
        folder = tmp_path / kind
        (folder / "scale").mkdir(parents=True)
        scale.write_fetched(folder, N_ROWS)
        with (folder / "recipe.toml").open("a", encoding="utf-8") as recipe:
            recipe.write(f'\n[engine]\nkind = "{kind}"\n' + f'address = "{nodes.address}"\n' * (kind == "ray"))
        for stage in [stage for stage, before in scale.STAGES_OF.items() if before]:
            here.clear()
            scale.run_stage(folder, stage)
            assert stage != "deduped" or bool(here) is (kind == "local")
            figures[kind, stage] = json.loads(capsys.readouterr().out)["seconds"]
        ends = (".parquet", ".npy", ".csv")
        made[kind] = {path.name: file_digest(path) for path in folder.iterdir() if path.suffix in ends}
        assert bool(calls["search_part"]) is (kind == "ray")
    assert len(made["ray"]) == 6 and made["ray"].keys() == made["local"].keys()
    assert [name for name in made["local"] if made["local"][name] != made["ray"][name]] == []
    reasons = pq.read_table(folder / "deduped.parquet", columns=["drop_reason"])["drop_reason"].to_pylist()
    assert reasons.count("near-duplicate") > N_ROWS // 50
    with capsys.disabled():
        for (kind, stage), seconds in figures.items():
            print(f"\n{N_ROWS:,} rows, {kind}, {stage}: {seconds:.1f} s", end="")
