"""A model that a benchmark has saved, run by ONNX Runtime: what reads it needs neither Keras nor TensorFlow.

>>> read_saved(Path("data/birds/benchmark/models/cnn"))
Traceback (most recent call last):
curator.errors.StateError: There is no saved model in data/birds/benchmark/models/cnn. `curator benchmark` trains and \
saves it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, ImageOps

from curator.embed.embedder import PixelArray, RunImage, run_session, start_session
from curator.embed.graph import INPUT
from curator.embed.squares import read_square
from curator.errors import CuratorError, StateError, why
from curator.observe.pixels import MAX_PIXELS, as_rgb
from curator.observe.renderings import FITS
from curator.store import beneath
from curator.store.catalog_files import file_digest
from curator.store.paths import DataPaths
from curator.store.plain_json import Faults, read_json
from curator.store.whole_files import write_text_whole
from curator.text import Command

ONNX, KERAS, LABELS, FACTS, CARD = "model.onnx", "model.keras", "labels.txt", "model.json", "README.md"
TRAINED_ON = "trained_on.csv"
"""The files of a saved model, in a folder of its own; the last names the images that training saw."""

VERSION = 1
"""Raised when a fact of :data:`FACTS` changes its meaning; a reader refuses a newer one."""

PROBABILITIES = "probabilities"
"""The output of the ONNX file."""

_SHA256 = re.compile("[0-9a-f]{64}")

Probabilities = npt.NDArray[np.float32]
_AGAIN = (Command("benchmark"), " trains and saves it.")


@dataclass(frozen=True, repr=False)
class SavedModel:
    """A trained model that labels pictures.

    Attributes:
        folder: where its files are: ``model.onnx``, ``model.keras``, the labels, and a model card.
        name: as recipes call it, such as ``cnn``.
        labels: in the order of its outputs.
        side: height and width in pixels of what it is shown; pictures of other sizes are squeezed to it.
        facts: what it was trained on and how, and its accuracy on its own test images: ``model.json``.
        run_image: uint8 (side, side, 3) to float32 (labels,).
        max_pixels: width times height above which a file is not decoded.
    """

    folder: Path
    name: str
    labels: tuple[str, ...]
    side: int
    facts: Mapping[str, Any]
    run_image: RunImage
    max_pixels: int = MAX_PIXELS

    def __repr__(self) -> str:
        return f"SavedModel({self.name!r}, labels={list(self.labels)}, {self.side} pixels)"

    def predict(self, images: Any) -> pd.DataFrame:
        """Label pictures.

        Args:
            images: a file's path, an array uint8 (height, width, 3) in RGB, a PIL image; or several of them, an array
                (images, height, width, 3) too. Files are decoded as in training, in processes that may die of them.

        Returns:
            A row a picture: ``image`` (its path, or its number), ``label``, ``probability``, one column ``p_<label>``
            for each label, and ``problem``: why there is no label, empty if there is one.

        Raises:
            CuratorError: something is neither a path nor such an array.
        """
        several = list(_each(images))
        names = [str(one) if isinstance(one, str | os.PathLike) else str(number) for number, one in enumerate(several)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return self.tabulate(names, list(pool.map(self.attempt, several)))

    def attempt(self, image: Any) -> Probabilities | str:
        """Return the probabilities of one picture, float32 (labels,), or why it has none."""
        try:
            return self.run_image(self._square(image))
        except StateError as error:
            return error.message

    def tabulate(self, names: Sequence[str], found: Sequence[Probabilities | str]) -> pd.DataFrame:
        """Make the table that :meth:`predict` returns."""
        nothing = np.full(len(self.labels), np.nan, np.float32)
        rows = np.array([nothing if isinstance(one, str) else one for one in found], np.float32)
        rows = rows.reshape(len(found), len(self.labels))
        labels = [None if isinstance(one, str) else self.labels[int(one.argmax())] for one in found]
        columns: dict[str, Any] = {"image": list(names), "label": pd.Series(labels, dtype=object)}
        columns["probability"] = rows.max(axis=1)
        columns |= {f"p_{label}": rows[:, number] for number, label in enumerate(self.labels)}
        return pd.DataFrame(columns | {"problem": [one if isinstance(one, str) else "" for one in found]})

    def _square(self, image: Any) -> PixelArray:
        if isinstance(image, str | os.PathLike):
            path = Path(image)
            try:
                sha256 = file_digest(path)
            except OSError as error:
                raise StateError(f"{path} cannot be read ({why(error)})") from error
            return read_square(path, sha256, self.side, self.max_pixels)
        if isinstance(image, Image.Image):  # as the path of its file would be read: upright, on white, in sRGB
            image = as_rgb(ImageOps.exif_transpose(image))
        pixels = np.asarray(image)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
            message = f"A picture is an array uint8 (height, width, 3), not {pixels.dtype} {pixels.shape}."
            raise CuratorError(message, "Pass a path, a PIL image, or such an array in RGB.")
        if pixels.shape[:2] == (self.side, self.side):
            return pixels
        return np.asarray(FITS["squeeze"](Image.fromarray(pixels), self.side))


def _each(images: Any) -> Iterator[Any]:
    is_one = isinstance(images, str | os.PathLike | Image.Image) or (isinstance(images, np.ndarray) and images.ndim < 4)
    return iter([images] if is_one else images)


def read_saved(folder: Path, max_pixels: int = MAX_PIXELS) -> SavedModel:
    """Load a saved model.

    Raises:
        StateError: there is none, it is damaged, or a newer version wrote it.
        CuratorError: ONNX Runtime is not installed.
    """
    facts = read_facts(folder)
    path = folder / ONNX
    if not path.is_file() or file_digest(path) != facts["onnx_sha256"]:
        raise StateError(f"{path} is not the file that {FACTS} beside it was written with.", _AGAIN)
    run = run_session(start_session(str(path), str(path)), INPUT, lambda image: image)
    try:
        fits = run(np.zeros((facts["side"], facts["side"], 3), np.uint8)).shape == (len(facts["labels"]),)
    except Exception:  # ONNX Runtime has a class of its own for each status
        fits = False
    if not fits:
        raise StateError(f"{path} does not take and return what {FACTS} beside it says.", _AGAIN)
    return SavedModel(folder, folder.name, tuple(facts["labels"]), facts["side"], facts, run, max_pixels)


def read_facts(folder: Path) -> dict[str, Any]:
    """Read what is said of a saved model, without loading it; see :func:`read_saved`."""
    path = folder / FACTS
    try:
        facts = read_json(path)
    except FileNotFoundError as error:
        raise StateError(f"There is no saved model in {folder}.", _AGAIN) from error
    except (OSError, ValueError) as error:
        raise StateError(f"{path} cannot be read ({why(error)}).", _AGAIN) from error
    faults = Faults() if isinstance(facts, dict) else Faults(["it is no table"])
    facts = facts if isinstance(facts, dict) else {}
    kinds = {"version": int, "name": str, "title": str, "side": int, "labels": list, "onnx_sha256": str, "test": dict}
    found = {name: faults.take(facts, name, kind) for name, kind in kinds.items()}
    if not faults.found and None in found.values():
        faults.found.append(f"{next(name for name, one in found.items() if one is None)} is missing")
    if not faults.found and (len(found["labels"]) < 2 or not all(isinstance(one, str) for one in found["labels"])):
        faults.found.append("labels are not two texts or more")
    if not faults.found and not _is_measured(found["test"]):
        faults.found.append("test has no figures")
    if not faults.found and not re.fullmatch(r"\w[\w.-]*", folder.name):
        faults.found.append("the folder's name is no name of a model")
    if faults.found:
        raise StateError(f"{path} is not as it was written: {faults.sentence()}.", _AGAIN)
    if found["version"] > VERSION:
        raise StateError(f"{path} was written by a newer curator.", "Upgrade with `pip install -U imageset-curator`.")
    return facts


def _is_measured(test: Mapping[str, Any]) -> bool:
    reached = test.get("accuracy")
    figures = [reached.get(name) for name in ("mean", "low", "high")] if isinstance(reached, dict) else [None]
    return isinstance(test.get("n"), int) and all(isinstance(one, int | float) for one in figures)


def forget_trained_on(paths: DataPaths, contents: Collection[str]) -> None:
    """Take contents (SHA-256s) out of what saved models say that they were trained on.

    Raises:
        DiskError: the disk refuses.
        StateError: a folder is a link.
    """
    gone = set(contents)
    if not gone or not paths.benchmark_models.is_dir():
        return
    inner = paths.benchmark_models.relative_to(paths.folder).as_posix()
    names = [name for name, _ in beneath.walk(paths.folder, inner) if name.endswith(f"/{TRAINED_ON}")]
    for path in (paths.folder / name for name in names):
        lines = re.findall(r"[^\n]*\n|[^\n]+$", path.read_text("utf-8", "replace"))  # a label may hold U+2028
        stay = [line for line in lines if gone.isdisjoint(_SHA256.findall(line))]
        if len(stay) < len(lines):
            write_text_whole(path, "".join(stay))


def list_saved(models: Path) -> list[str]:
    """Name the models that are saved in a folder, in the order of their names."""
    return sorted(path.parent.name for path in models.glob(f"*/{FACTS}"))
