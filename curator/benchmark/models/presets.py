"""How each model is trained: the article's settings, settings that train properly, and the quick smoke test.

>>> plan = plan_benchmark(BenchmarkSettings(preset="article"))
>>> plan.training["cnn"].epochs, plan.training["cnn"].learning_rate
(500, 1e-06)
>>> plan_benchmark(BenchmarkSettings(epochs=3), quick=True).image_size
96
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from curator.manifests.recipe import BenchmarkSettings

UNIT, SYMMETRIC = "unit", "symmetric"
"""Pixel scalings: to [0, 1], and to [-1, 1] as MobileNetV2 was pretrained with."""

ARTICLE_ACCURACY = {"cnn": 0.83, "mobilenet_v2": 0.91}
"""Test accuracy that the article reports; drawn as reference lines where the labels are the article's."""

ARTICLE_LABELS = {"rugby", "soccer"}

QUICK_IMAGE_SIZE = 96


@dataclass(frozen=True)
class Training:
    """How one model is trained.

    ``patience`` is the epochs without a lower validation loss, counted from the end of the warm-up, before training
    stops and the best weights come back; None trains to the end and keeps the last weights. ``warmup_epochs`` rise
    linearly, then the rate falls as half a cosine to zero where ``decay`` is set (Loshchilov and Hutter 2017,
    https://arxiv.org/abs/1608.03983).
    ``n_variants`` augmented copies of each training image are made for a model that trains on cached features.
    """

    epochs: int
    learning_rate: float
    preprocessing: str
    decay: bool = False
    warmup_epochs: int = 0
    patience: int | None = None
    augment: bool = False
    n_variants: int = 0


@dataclass(frozen=True)
class Plan:
    """Everything that decides a run's outcome besides the data, the weights and the versions.

    ``validation_share`` of train watches the training; 0 watches the test part, as the article did, and decides
    nothing by it.
    """

    models: tuple[str, ...]
    seeds: tuple[int, ...]
    image_size: int
    batch_size: int
    preset: str
    validation_share: float
    training: Mapping[str, Training]
    smoke_test: bool = False

    def as_dict(self) -> dict[str, object]:
        """Return the plan as JSON-able values."""
        return dataclasses.asdict(self)


ARTICLE = {
    "cnn": Training(epochs=500, learning_rate=1e-6, preprocessing=UNIT),
    "mobilenet_v2": Training(epochs=500, learning_rate=1e-5, preprocessing=UNIT),
}
# The CNN's dense layer sums 50,176 activations, none negative: one step of Adam moves each output of that layer by up
# to the learning rate times their sum. After a rough start all of its units may be below zero on every image, where
# ReLU has no gradient, and the network answers as a coin does for good. Centred pixels and a long warm-up help.
DEFAULT = {
    "cnn": Training(
        epochs=30,
        learning_rate=3e-4,
        preprocessing=SYMMETRIC,
        decay=True,
        warmup_epochs=5,
        patience=10,
        augment=True,
    ),
    "mobilenet_v2": Training(
        epochs=100,
        learning_rate=1e-3,
        preprocessing=SYMMETRIC,
        decay=True,
        patience=15,
        augment=True,
        n_variants=4,
    ),
}
QUICK = {
    "cnn": dataclasses.replace(DEFAULT["cnn"], epochs=6, warmup_epochs=1, patience=6),
    "mobilenet_v2": dataclasses.replace(DEFAULT["mobilenet_v2"], epochs=30, patience=30, augment=False, n_variants=0),
}
VALIDATION_SHARE = {"article": 0.0, "default": 0.15}


def plan_benchmark(settings: BenchmarkSettings, quick: bool = False) -> Plan:
    """Resolve the recipe's benchmark section to a plan; ``quick`` replaces everything but the models and epochs."""
    preset = "default" if quick else settings.preset
    trainings = QUICK if quick else {"article": ARTICLE, "default": DEFAULT}[preset]
    models = tuple(dict.fromkeys(settings.models))
    chosen = {model: _with_epochs(trainings[model], settings.epochs) for model in models}
    return Plan(
        models=models,
        seeds=tuple(dict.fromkeys(settings.seeds))[: 1 if quick else None],
        image_size=QUICK_IMAGE_SIZE if quick else settings.image_size,
        batch_size=settings.batch_size,
        preset=preset,
        validation_share=VALIDATION_SHARE[preset],
        training=chosen,
        smoke_test=quick,
    )


def _with_epochs(training: Training, epochs: int | None) -> Training:
    return training if epochs is None else dataclasses.replace(training, epochs=epochs)
