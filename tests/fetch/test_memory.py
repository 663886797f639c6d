"""A list of a million addresses is fetched in little memory: here a tenth of it, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.peak_memory import PEAK

N_FEW, N_MANY = 20_000, 120_000
MOST_BYTES_A_ROW = 1_000
"""A million rows then take less than 1 GB; a column of thumbnails, empty, would take 512 of these."""

PROGRAM = f"""{PEAK}
import sys
from pathlib import Path
from curator.pipeline import run_stages as pipeline
from curator.manifests.project import open_project
from curator.sources.registry import source_kinds

folder = Path(sys.argv[1])
project = open_project(str(folder / "recipe.toml"), folder / "data", {{}}, source_kinds(), lambda event: None)
done = pipeline.fetch(project)
assert done.table["drop_reason"].eq("refused").all()
print(len(done.table), peak_bytes())
"""
RECIPE = """
name = "big"
labels = ["rugby", "soccer"]
[[sources]]
kind = "url-list"
path = "list.csv"
[fetch]
target = 1_000_000
retries = 0
allow_private_hosts = true
"""


def peak_of_fetch(folder: Path, lab, n: int) -> int:
    """Fetch a list of ``n`` addresses of a dead host; give the most memory that the process ever had."""
    folder.mkdir()
    (folder / "recipe.toml").write_text(RECIPE)
    rows = (f"{lab.url('refused')}/photos/{n:09d}_of_someone.jpg,{'rugby' if n % 2 else 'soccer'}\n" for n in range(n))
    (folder / "list.csv").write_text("url,label\n" + "".join(rows))
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(folder)], capture_output=True, text=True, check=True)
    n_rows, n_bytes = map(int, done.stdout.split())
    assert n_rows == n
    return n_bytes


@pytest.mark.slow
def test_the_memory_of_a_fetch_stays_under_a_thousand_bytes_a_row(lab, tmp_path):
    """From the list to the written catalog, less what any fetch takes."""
    few, many = peak_of_fetch(tmp_path / "few", lab, N_FEW), peak_of_fetch(tmp_path / "many", lab, N_MANY)
    assert (many - few) / (N_MANY - N_FEW) < MOST_BYTES_A_ROW
