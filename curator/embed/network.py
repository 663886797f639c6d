"""A network of inverted residuals as ONNX: what MobileNetV2 and EfficientNet-Lite0 are made of.

Sandler and others 2018, https://arxiv.org/abs/1801.04381: a first convolution, then blocks of one that widens, one a
channel, and one that narrows, with a sum around those that keep their shape, then a last convolution and the mean over
rows and columns. Batch normalisation is folded into the kernels. Padding is TensorFlow's SAME: of an odd number of
missing rows or columns, one more is added below or on the right. Operators are those of
https://onnx.ai/onnx/operators/ (opset 13).

>>> first = Convolution(np.ones((4, 3, 1, 1), np.float32), np.zeros(4, np.float32))
>>> onnx_bytes([Block((first,))], "unit")[:2].hex()
'0808'
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from curator.embed.graph import Graph

Array = npt.NDArray[Any]
SCALINGS = {"unit": (1 / 255, 0.0), "symmetric": (1 / 127.5, -1.0), "lite": (1 / 128, -127 / 128)}
"""What 8-bit pixels are multiplied by, then what is added: to [0, 1], to [-1, 1], and as EfficientNet-Lite has them."""


@dataclass(frozen=True)
class Convolution:
    """Kernel float32 (out, in, height, width), or (out, 1, …) for one a channel; bias (out,); ReLU6 if ``clipped``."""

    kernel: Array
    bias: Array
    stride: int = 1
    clipped: bool = True


@dataclass(frozen=True)
class Block:
    """Convolutions one after another; ``is_sum``: the block's input is added to their output."""

    convolutions: tuple[Convolution, ...]
    is_sum: bool = False


class Stage(NamedTuple):
    """Blocks of one width: how many, the stride of the first, the widening, the channels out, the kernel's side."""

    repeats: int
    stride: int
    widening: int
    channels: int
    side: int = 3


N_FIRST, N_LAST = 32, 1280
"""Channels of the first and of the last convolution of both networks."""

ReadLayer = Callable[[str, int], tuple[Array, Sequence[Array]]]
"""Returns a convolution's kernel and the statistics of the normalisation after it, by its role and its block's number.

Roles are ``first``, ``expand``, ``depthwise``, ``project`` and ``last``."""


def inverted_residuals(stages: Iterable[Stage], read: ReadLayer, epsilon: float) -> list[Block]:
    """Put a network together from its layers.

    Raises:
        ValueError: a kernel has another shape than the network's; the message names both.
    """

    def convolution(
        role: str, number: int, shape: tuple[int, ...], stride: int = 1, clipped: bool = True
    ) -> Convolution:
        kernel, norm = read(role, number)
        if kernel.shape != shape or any(np.shape(one) != shape[:1] for one in norm):
            raise ValueError(f"the {role} kernel of block {number} has the shape {kernel.shape}, not {shape}")
        return Convolution(*fold(kernel, norm, epsilon), stride, clipped)

    blocks = [Block((convolution("first", 0, (N_FIRST, 3, 3, 3), 2),))]
    n_in = N_FIRST
    for stage in stages:
        for repeat in range(stage.repeats):
            number, wide = len(blocks) - 1, n_in * stage.widening
            stride = 1 if repeat else stage.stride
            first = [convolution("expand", number, (wide, n_in, 1, 1))] if stage.widening > 1 else []
            deep = convolution("depthwise", number, (wide, 1, stage.side, stage.side), stride)
            last = convolution("project", number, (stage.channels, wide, 1, 1), clipped=False)
            blocks.append(Block((*first, deep, last), is_sum=stride == 1 and n_in == stage.channels))
            n_in = stage.channels
    return [*blocks, Block((convolution("last", 0, (N_LAST, n_in, 1, 1)),))]


def fold(kernel: Array, norm: Sequence[Array], epsilon: float) -> tuple[Array, Array]:
    """Fold batch normalisation as it is at inference into the convolution before it.

    Args:
        kernel: (out, in, height, width).
        norm: gamma, beta, mean and variance, each (out,).
        epsilon: what is added to the variance.

    Returns:
        The kernel and the bias, float32.
    """
    gamma, beta, mean, variance = (np.asarray(one, dtype=np.float64) for one in norm)
    scale = gamma / np.sqrt(variance + epsilon)
    return (kernel * scale[:, None, None, None]).astype(np.float32), (beta - mean * scale).astype(np.float32)


def onnx_bytes(blocks: Sequence[Block], pixels: str) -> bytes:
    """Write a network from 8-bit pixels of any size to the means of its last channels.

    Args:
        blocks: one after another.
        pixels: one of :data:`SCALINGS`.

    Returns:
        An ONNX model: input ``pixels`` uint8 (batch, height, width, 3), output ``features`` float32 (batch, channels).

    Raises:
        CuratorError: the package onnx is not installed.
    """
    graph = Graph()
    graph.add("Flatten", [add_network(graph, blocks, pixels)], output="features")
    return graph.serialise("features", len(blocks[-1].convolutions[-1].bias), ("height", "width"))


def add_network(graph: Graph, blocks: Sequence[Block], pixels: str) -> str:
    """Add a network to a graph, see :func:`onnx_bytes`; return the name of its means, (batch, channels, 1, 1)."""
    name = graph.pixels(*SCALINGS[pixels])
    for block in blocks:
        before = name
        for one in block.convolutions:
            name = _add_convolution(graph, name, one)
        name = graph.add("Add", [before, name]) if block.is_sum else name
    return graph.add("GlobalAveragePool", [name])


def _add_convolution(graph: Graph, before: str, one: Convolution) -> str:
    n_out, n_in = one.kernel.shape[:2]
    # One channel in: one of many, as no network here begins with a grey picture.
    name = graph.convolution(before, one.kernel, one.bias, one.stride, n_out if n_in == 1 else 1)
    return (
        graph.add("Clip", [name, graph.constant(np.float32(0)), graph.constant(np.float32(6))]) if one.clipped else name
    )
