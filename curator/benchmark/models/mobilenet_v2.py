"""MobileNetV2 with ImageNet weights, frozen, and a dense layer that is trained on its features.

>>> overlap_warning(["n00478262", "/m/06bqd"])
''
>>> overlap_warning(["n04254680"])[:50]
'Images of n04254680 come from ILSVRC-1k synsets: M'
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from curator.benchmark.models.frozen_base import prepare_transfer
from curator.benchmark.models.model import ORANGE, SYMMETRIC, Model, Pretrained, Training
from curator.events import Listener

if TYPE_CHECKING:
    from curator.benchmark.models.weights import PretrainedBase


LICENCE = "Apache-2.0"
"""Of the weights, as Keras' applications state it: https://keras.io/api/applications/mobilenet/."""


def ilsvrc_synsets() -> frozenset[str]:
    """Name the 1,000 synsets of ILSVRC 2012, whose images ImageNet weights were trained on."""
    return frozenset((Path(__file__).parents[1] / "ilsvrc2012_synsets.txt").read_text("utf-8").split())


def overlap_warning(source_classes: Iterable[object], title: str = "MobileNetV2") -> str:
    """Say which source classes overlap with the pretraining, or nothing if none does."""
    found = sorted(ilsvrc_synsets() & {str(name) for name in source_classes})
    if not found:
        return ""
    return (
        f"Images of {', '.join(found)} come from ILSVRC-1k synsets: {title}'s ImageNet weights were probably "
        f"trained on these very images, so its test accuracy here is too good. The sport synsets have no such overlap."
    )


def _load(given: Path | None, emit: Listener) -> PretrainedBase:
    from curator.benchmark.models.weights import load_mobilenet_v2

    return load_mobilenet_v2(given, emit)


_DEFAULT = Training(
    epochs=100, learning_rate=1e-3, preprocessing=SYMMETRIC, decay=True, patience=15, augment=True, n_variants=4
)

MOBILENET_V2 = Model(
    name="mobilenet_v2",
    title="MobileNetV2",
    about="MobileNetV2 with ImageNet weights, frozen, and one dense layer trained on its pooled features.",
    prepare=prepare_transfer,
    presets={
        "default": _DEFAULT,
        "article": Training(epochs=500, learning_rate=1e-5),
        "quick": dataclasses.replace(_DEFAULT, epochs=30, patience=30, augment=False, n_variants=0),
    },
    colour=ORANGE,
    pretrained=Pretrained(_load, overlap_warning, LICENCE),
    article_accuracy=0.91,
    is_head=True,
)
