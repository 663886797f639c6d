"""MobileNetV2 with ImageNet weights, whose last blocks are trained on, at a low rate, after a head was trained on it.

Batch normalisation is folded into the kernels and so stays as it was: with batches of 32 its statistics would wander.

>>> MOBILENET_V2_TUNED.training("default").learning_rate < 1e-4
True
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from curator.benchmark.models.mobilenet_v2 import MOBILENET_V2
from curator.benchmark.models.model import PINK, SYMMETRIC, MakeLearner, Model, Training, TrainingSet

if TYPE_CHECKING:
    from curator.benchmark.models.weights import PretrainedBase

N_TUNED = 4
"""Blocks that are trained on: the last three of inverted residuals, and the last convolution."""

HEAD = Training(epochs=30, learning_rate=1e-3, preprocessing=SYMMETRIC, decay=True)
"""How the head is trained first, on the features of the base: a head of chance would ruin the blocks below it."""


def _prepare(data: TrainingSet, training: Training, base: PretrainedBase | None) -> MakeLearner:
    from curator.benchmark.models.keras_blocks import build_blocks
    from curator.benchmark.models.keras_learner import KerasLearner
    from curator.benchmark.models.transfer import DROPOUT, HeadLearner, gather_features
    from curator.benchmark.train import learning_rate_at

    if base is None:
        raise ValueError("a transfer model starts from weights")
    head_training = dataclasses.replace(HEAD, preprocessing=training.preprocessing)
    features = gather_features(base, data, head_training).features

    def make_learner(seed: int) -> KerasLearner:
        head = HeadLearner(features, head_training, seed, data.batch_size)
        for epoch in range(head_training.epochs):
            head.train_epoch(epoch, learning_rate_at(head_training, epoch), lambda *_: None)

        def build(n_labels: int, side: int, preprocessing: str) -> Any:
            network = build_blocks(base.blocks, preprocessing, side, head.kernel, head.bias, DROPOUT)
            tuned = tuple(f"block{number}_" for number in range(len(base.blocks) - N_TUNED, len(base.blocks)))
            for layer in network.layers:
                layer.trainable = layer.name.startswith((*tuned, "head"))
            return network

        return KerasLearner(build, data, training, seed)

    return make_learner


_DEFAULT = Training(
    epochs=12, learning_rate=3e-5, preprocessing=SYMMETRIC, decay=True, warmup_epochs=1, patience=4, augment=True
)

MOBILENET_V2_TUNED = Model(
    name="mobilenet_v2_tuned",
    title="MobileNetV2 fine-tuned",
    about="MobileNetV2 with ImageNet weights: a dense layer is trained on it, then the last blocks with that layer.",
    prepare=_prepare,
    presets={"default": _DEFAULT, "quick": dataclasses.replace(_DEFAULT, epochs=2, augment=False)},
    colour=PINK,
    pretrained=MOBILENET_V2.pretrained,
    packages=("keras",),
)
