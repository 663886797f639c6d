"""The models that can be compared: adding one is one file that declares it, and one entry here.

>>> [model.title for model in find_models(["cnn"])]
['CNN']
>>> find_models(["mobilenet"])
Traceback (most recent call last):
curator.errors.CuratorError: There is no model 'mobilenet', did you mean mobilenet_v2? The models are cnn, \
mobilenet_v2, efficientnet_lite0, mobilenet_v2_tuned, cnn_pooled.
"""

from __future__ import annotations

from collections.abc import Iterable

from curator.benchmark.models.cnn import CNN
from curator.benchmark.models.cnn_pooled import CNN_POOLED
from curator.benchmark.models.efficientnet_lite0 import EFFICIENTNET_LITE0
from curator.benchmark.models.mobilenet_v2 import MOBILENET_V2
from curator.benchmark.models.mobilenet_v2_tuned import MOBILENET_V2_TUNED
from curator.benchmark.models.model import Model
from curator.errors import CuratorError
from curator.manifests.toml_settings import suggest

MODELS: tuple[Model, ...] = (CNN, MOBILENET_V2, EFFICIENTNET_LITE0, MOBILENET_V2_TUNED, CNN_POOLED)


def model_names() -> tuple[str, ...]:
    """Name the models that a recipe may request."""
    return tuple(model.name for model in MODELS)


def find_models(names: Iterable[str]) -> tuple[Model, ...]:
    """Return the models of these names, each once.

    Raises:
        CuratorError: no model has one of the names; the message lists those there are.
    """
    known = {model.name: model for model in MODELS}
    for name in names:
        if name not in known:
            message = f"There is no model {name!r}{suggest(name, known) or '.'} The models are {', '.join(known)}."
            raise CuratorError(message)
    return tuple(known[name] for name in dict.fromkeys(names))


def substitute_of(name: str) -> Model | None:
    """Return the model that is trained where the weights of this one cannot be had, if there is one."""
    return next((model for model in MODELS if model.in_place_of == name), None)


def model_title(name: str) -> str:
    """Return a model's title; metrics may hold a model that is no longer in :data:`MODELS`: then its name."""
    return next((model.title for model in MODELS if model.name == name), name)
