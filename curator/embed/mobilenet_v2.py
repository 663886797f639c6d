"""MobileNetV2 with ImageNet weights, if their file is at hand: Keras' own, in which layers have names.

>>> sum(stage.repeats for stage in STAGES)
17
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curator.embed.extra import import_package
from curator.embed.network import Array, Block, Stage, inverted_residuals
from curator.embed.weights import HOW_TO_GET
from curator.errors import StateError

SIDE = 224
PIXELS = "symmetric"
EPSILON = 1e-3

STAGES = (
    Stage(1, 1, 1, 16),
    Stage(2, 2, 6, 24),
    Stage(3, 2, 6, 32),
    Stage(4, 2, 6, 64),
    Stage(3, 1, 6, 96),
    Stage(3, 2, 6, 160),
    Stage(1, 1, 6, 320),
)

Layers = Mapping[str, Sequence[Array]]
"""Weights by the layer's name in Keras: a kernel; or gamma, beta, mean and variance."""


def make_blocks(layers: Layers) -> list[Block]:
    """Put the network together from its layers' weights.

    Raises:
        KeyError, ValueError: a layer is not there, or of another shape.
    """

    def read(role: str, number: int) -> tuple[Array, Sequence[Array]]:
        at = f"block_{number}" if number else "expanded_conv"
        name, norm = {"first": ("Conv1", "bn_Conv1"), "last": ("Conv_1", "Conv_1_bn")}.get(
            role, (f"{at}_{role}", f"{at}_{role}_BN")
        )
        # Keras has (height, width, in, out); of one a channel (height, width, channels, 1).
        kernel = np.asarray(layers[name][0]).transpose((2, 3, 0, 1) if role == "depthwise" else (3, 2, 0, 1))
        return kernel, layers[norm]

    return inverted_residuals(STAGES, read, EPSILON)


def read_layers(path: Path) -> dict[str, list[Array]]:
    """Read a file of weights as Keras' applications have them (a group a layer), or as Keras 3 saves them.

    Raises:
        StateError: it is none.
        CuratorError: h5py is not installed.
    """
    h5py = import_package("h5py", install="h5py")
    try:
        with h5py.File(path) as file:
            if "layer_names" in file.attrs:
                return {layer: _arrays(file[layer], file[layer].attrs["weight_names"]) for layer in file}
            groups = [layer["vars"] for layer in file["layers"].values() if len(layer["vars"])]
            return {str(group.attrs["name"]): _arrays(group, sorted(group, key=int)) for group in groups}
    except (OSError, KeyError, ValueError, AttributeError, TypeError) as error:
        raise not_the_weights(path, " ".join(str(error).split())) from error


def _arrays(group: Any, names: Iterable[Any]) -> list[Array]:
    return [np.asarray(group[name]) for name in names]


def read_blocks(path: Path) -> tuple[list[Block], int]:
    """Read the network from such a file, and the number of its parameters.

    Raises:
        StateError: the file holds other weights; the message names the shapes.
        CuratorError: h5py is not installed.
    """
    layers = read_layers(path)
    try:
        return make_blocks(layers), sum(one.size for weights in layers.values() for one in weights)
    except (KeyError, ValueError) as error:
        raise not_the_weights(path, " ".join(str(error).split())) from error


def not_the_weights(path: Path, reason: str) -> StateError:
    """Make the error for a file that holds anything else."""
    return StateError(f"{path} does not hold MobileNetV2's weights (1.0, 224, without top): {reason}", HOW_TO_GET)
