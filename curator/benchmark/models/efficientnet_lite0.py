"""EfficientNet-Lite0 with ImageNet weights, frozen: the transfer model of a machine that has not MobileNetV2's weights.

>>> EFFICIENTNET_LITE0.in_place_of
'mobilenet_v2'
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from curator.benchmark.models.frozen_base import prepare_transfer
from curator.benchmark.models.mobilenet_v2 import MOBILENET_V2, overlap_warning
from curator.benchmark.models.model import GREEN, LITE, Model, Pretrained
from curator.events import Listener

if TYPE_CHECKING:
    from curator.benchmark.models.weights import PretrainedBase


def _load(given: Path | None, emit: Listener) -> PretrainedBase:
    from curator.benchmark.models.weights import load_efficientnet_lite0

    return load_efficientnet_lite0(given, emit)


def _overlap(source_classes: Iterable[object]) -> str:
    return overlap_warning(source_classes, "EfficientNet-Lite0")


EFFICIENTNET_LITE0 = Model(
    name="efficientnet_lite0",
    title="EfficientNet-Lite0",
    about="EfficientNet-Lite0 with ImageNet weights, frozen, and one dense layer trained on its pooled features.",
    prepare=prepare_transfer,
    presets={
        name: dataclasses.replace(training, preprocessing=LITE) for name, training in MOBILENET_V2.presets.items()
    },
    colour=GREEN,
    pretrained=Pretrained(_load, _overlap, "Apache-2.0"),
    in_place_of=MOBILENET_V2.name,
    is_head=True,
)
