"""What a benchmark will do: which models, with which seeds, trained how, on which images.

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

from curator.benchmark.models.model import Training
from curator.benchmark.models.registry import find_models
from curator.manifests.settings import BenchmarkSettings

QUICK_IMAGE_SIZE = 96

VALIDATION_SHARE = {"article": 0.0, "default": 0.15}


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


def plan_benchmark(settings: BenchmarkSettings, quick: bool = False) -> Plan:
    """Resolve the recipe's benchmark section to a plan; ``quick`` replaces everything but the models and epochs."""
    preset = "default" if quick else settings.preset
    training = {model.name: model.training("quick" if quick else preset) for model in find_models(settings.models)}
    if settings.epochs is not None:
        training = {name: dataclasses.replace(one, epochs=settings.epochs) for name, one in training.items()}
    return Plan(
        models=tuple(training),
        seeds=tuple(dict.fromkeys(settings.seeds))[: 1 if quick else None],
        image_size=QUICK_IMAGE_SIZE if quick else settings.image_size,
        batch_size=settings.batch_size,
        preset=preset,
        validation_share=VALIDATION_SHARE[preset],
        training=training,
        smoke_test=quick,
    )
