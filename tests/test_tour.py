"""docs/tour.ipynb runs from its first cell to its last, in an empty folder, and leaves what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")
pytest.importorskip("tensorflow")

TOUR = Path(__file__).parents[1] / "docs" / "tour.ipynb"
LIMIT_S = 300


@pytest.mark.slow
def test_the_tour_runs_and_ends_with_a_data_set(tmp_path: Path) -> None:
    """Every cell runs; the copies and the page that were planted are out; the report and the export are there."""
    notebook = nbformat.read(TOUR, as_version=4)
    nbclient.NotebookClient(notebook, timeout=LIMIT_S, resources={"metadata": {"path": str(tmp_path)}}).execute()
    text = "".join(str(cell.get("outputs", "")) for cell in notebook.cells)
    assert "not-an-image" in text and "near-duplicate" in text and "There is no format 'floppy'" in text
    assert "data:image/jpeg;base64" in text, "the data set shows no thumbnail"
    assert (tmp_path / "manifests" / "balls" / "manifest.csv").exists()
    assert (tmp_path / "data" / "balls" / "benchmark" / "report.html").exists()
    assert (tmp_path / "data" / "balls" / "exports" / "imagefolder").is_dir()
