"""EfficientNet-Lite0 with ImageNet weights, as a package index has them: 17 MB, Apache-2.0, 1,280 features an image.

Tan and Le 2019, https://arxiv.org/abs/1905.11946, without squeeze-and-excitation and with ReLU6, so that it runs well
everywhere: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite. The weights are those of
TensorFlow, which fixes padding (SAME), pixel scaling and the epsilon of 0.001.

>>> sum(stage.repeats for stage in STAGES)
16
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from curator.embed.network import Array, Block, Stage, inverted_residuals
from curator.embed.torch_file import read_tensors
from curator.embed.weights import LITE0_ANEW
from curator.errors import StateError

SIDE = 224
PIXELS = "lite"
EPSILON = 1e-3

STAGES = (
    Stage(1, 1, 1, 16),
    Stage(2, 2, 6, 24),
    Stage(2, 2, 6, 40, side=5),
    Stage(3, 2, 6, 80),
    Stage(3, 1, 6, 112, side=5),
    Stage(4, 2, 6, 192, side=5),
    Stage(1, 1, 6, 320),
)
_STATISTICS = ("weight", "bias", "running_mean", "running_var")


def read_blocks(path: Path) -> tuple[list[Block], int]:
    """Read the network, its classification left out, and the number of its parameters.

    Raises:
        StateError: the file holds anything but these weights.
    """
    tensors = read_tensors(path)

    def read(role: str, number: int) -> tuple[Array, Sequence[Array]]:
        kernel, norm = {
            "first": ("_conv_stem", "_bn0"),
            "expand": (f"_blocks.{number}._expand_conv", f"_blocks.{number}._bn0"),
            "depthwise": (f"_blocks.{number}._depthwise_conv", f"_blocks.{number}._bn1"),
            "project": (f"_blocks.{number}._project_conv", f"_blocks.{number}._bn2"),
            "last": ("_conv_head", "_bn1"),
        }[role]
        return tensors[f"{kernel}.weight"], [tensors[f"{norm}.{name}"] for name in _STATISTICS]

    try:
        blocks = inverted_residuals(STAGES, read, EPSILON)
    except (KeyError, ValueError) as error:
        message = f"{path} does not hold EfficientNet-Lite0's weights ({' '.join(str(error).split())})."
        raise StateError(message, LITE0_ANEW) from error
    others = ("_fc.weight", "_fc.bias")
    n_parameters = sum(one.size for name, one in tensors.items() if name not in others and one.dtype.kind == "f")
    return blocks, n_parameters
