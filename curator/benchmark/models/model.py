"""What a benchmark knows of a model: its name, how it is trained, its colours, and how to make a learner of it.

Each model declares one value of :class:`Model` in a file of its own, and is an entry of
:data:`curator.benchmark.models.registry.MODELS`; nothing else names it. These declarations are read by the report and
the command line, so a model's file imports Keras only when it makes a learner.

>>> twin = Model("twin", "Twin", "Answers as its twin does.", lambda *_: None, {"default": Training(3, 0.1)}, GREEN)
>>> twin.training("quick").epochs
3
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curator.events import Listener, ignore

if TYPE_CHECKING:
    from curator.benchmark.images.augment import PixelArray
    from curator.benchmark.images.labelled_images import IntArray
    from curator.benchmark.models.learner import Learner
    from curator.benchmark.models.weights import PretrainedBase

UNIT, SYMMETRIC, LITE = "unit", "symmetric", "lite"
"""Pixel scalings: to [0, 1], to [-1, 1] as MobileNetV2 was pretrained with, and as EfficientNet-Lite0 was; those of
:data:`curator.embed.network.SCALINGS`."""


@dataclass(frozen=True)
class Training:
    """How one model is trained.

    ``patience`` is the epochs without a lower validation loss, counted from the end of the warm-up, before training
    stops and the best weights come back; None trains to the end and keeps the last weights. ``warmup_epochs`` rise
    linearly, then the rate falls as half a cosine to zero if ``decay`` is set (Loshchilov and Hutter 2017,
    https://arxiv.org/abs/1608.03983).
    ``n_variants`` augmented copies of each training image are made for a model that trains on cached features.
    """

    epochs: int
    learning_rate: float
    preprocessing: str = UNIT
    decay: bool = False
    warmup_epochs: int = 0
    patience: int | None = None
    augment: bool = False
    n_variants: int = 0


@dataclass(frozen=True)
class Colour:
    """A model's colour in plots and on the page, on a light and on a dark ground."""

    light: str
    dark: str


# Far apart for normal and colour-blind eyes, on either ground: tests/benchmark/test_registry.py measures it.
BLUE = Colour("#2a6fdb", "#79aaff")
ORANGE = Colour("#d9660a", "#ff9d57")
GREEN = Colour("#3b5c23", "#d4f7ba")
PINK = Colour("#a63f8d", "#f0c2e4")
VIOLET = Colour("#330077", "#9955ff")


@dataclass(frozen=True)
class TrainingSet:
    """What a learner trains on: pixels, labels, and the rows of them to train on.

    ``pixels`` is a memory map, uint8 (images, side, side, 3), of train and test; ``labels`` holds each image's label as
    an index. By ``sha256s`` a model may keep in ``cache`` what it computes of an image.
    """

    pixels: PixelArray
    labels: IntArray
    train_rows: IntArray
    n_labels: int
    batch_size: int = 32
    sha256s: Sequence[str] = ()
    cache: Path = Path()
    emit: Listener = ignore


@dataclass(frozen=True)
class Pretrained:
    """The weights that a model starts from.

    ``load`` finds and loads them, for ``--weights`` (or None), or raises
    :class:`curator.benchmark.models.weights.WeightsUnreachableError`: then the model that names this one in
    ``in_place_of`` is trained instead, or it is missing, and the others are trained. ``overlap`` warns of source
    classes that the weights were trained on, or returns nothing. ``licence`` is that of the weights.
    """

    load: Callable[[Path | None, Listener], PretrainedBase]
    overlap: Callable[[Iterable[object]], str]
    licence: str = ""


MakeLearner = Callable[[int], "Learner"]
"""Makes a learner for a seed."""


@dataclass(frozen=True)
class Model:
    """A model to compare.

    ``name`` is what recipes, files and metrics.json call it, ``title`` what plots and the report do, ``about`` what it
    is in one sentence. ``prepare`` does what is done once for all seeds (its base is None if ``pretrained`` is) and
    returns what makes a learner for a seed. ``presets`` holds its training for ``default``, ``article`` and ``quick``.
    ``article_accuracy`` is the test accuracy that the article reports of it. ``in_place_of`` names the model that it is
    taken for where that one's weights cannot be had. ``packages`` are modules that it needs besides those of every one.
    ``is_head`` says that only a layer on kept features is trained, which takes seconds: what a learning curve is of.
    """

    name: str
    title: str
    about: str
    prepare: Callable[[TrainingSet, Training, PretrainedBase | None], MakeLearner]
    presets: Mapping[str, Training]
    colour: Colour
    pretrained: Pretrained | None = None
    article_accuracy: float | None = None
    in_place_of: str = ""
    packages: tuple[str, ...] = ()
    is_head: bool = False

    def training(self, preset: str) -> Training:
        """Return its training for a preset; ``default`` is used for one that the model does not declare."""
        return self.presets.get(preset) or self.presets["default"]
