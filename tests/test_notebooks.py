"""The notebooks run from their first cell to their last, in an empty folder, and leave what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

DOCS = Path(__file__).parents[1] / "docs"
LIMIT_S = 1200


def executed(name: str, folder: Path) -> Any:
    """Run every cell of a notebook in ``folder``."""
    notebook = nbformat.read(DOCS / name, as_version=4)
    return nbclient.NotebookClient(notebook, timeout=LIMIT_S, resources={"metadata": {"path": str(folder)}}).execute()


def outputs(notebook: Any) -> list[tuple[str, list[str], str]]:
    """Return what the cells show: of each output the kinds and the text; progress is left out."""
    found = [output for cell in notebook.cells for output in cell.get("outputs", []) if output.get("name") != "stderr"]
    texts = [output.get("data", {}).get("text/plain", output.get("text", "")) for output in found]
    return [(one["output_type"], sorted(one.get("data", {})), text) for one, text in zip(found, texts, strict=True)]


@pytest.mark.slow
def test_the_tour_runs_and_ends_with_a_data_set(tmp_path: Path) -> None:
    """Every cell runs; the copies and the page that were planted are out; the report and the export are there."""
    pytest.importorskip("tensorflow")
    notebook = executed("tour.ipynb", tmp_path)
    text = "".join(str(cell.get("outputs", "")) for cell in notebook.cells)
    assert "not-an-image" in text and "near-duplicate" in text and "There is no format 'floppy'" in text
    assert "data:image/jpeg;base64" in text, "the data set shows no thumbnail"
    assert (tmp_path / "manifests" / "balls" / "manifest.csv").exists()
    assert (tmp_path / "data" / "balls" / "benchmark" / "report.html").exists()
    assert (tmp_path / "data" / "balls" / "exports" / "imagefolder").is_dir()


@pytest.mark.slow
def test_your_own_data_shows_what_the_page_shows(tmp_path: Path) -> None:
    """What its cells print, and which of them show pictures, is what is kept in the notebook and on the site."""
    shown = outputs(nbformat.read(DOCS / "own-data.ipynb", as_version=4))
    again = outputs(executed("own-data.ipynb", tmp_path))
    assert again == shown
    assert sum("image/jpeg" in kinds for _, kinds, _ in again) >= 3
    assert (tmp_path / "data" / "mine" / "train" / "rugby").is_dir()
