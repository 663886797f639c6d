"""A network of inverted residuals with its head in Keras: what a transfer model is saved as, and what is fine-tuned.

Batch normalisation is in the kernels already (:func:`curator.embed.network.fold`), so that it is frozen by itself.

>>> first = Convolution(np.ones((4, 3, 1, 1), np.float32), np.zeros(4, np.float32))
>>> build_blocks([Block((first,))], "unit", 8, np.zeros((4, 2), np.float32), np.zeros(2, np.float32)).output_shape
(None, 2)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from curator.benchmark.models.keras_backend import keras, rescaling
from curator.embed.network import Array, Block, Convolution


def build_blocks(
    blocks: Sequence[Block], preprocessing: str, side: int, kernel: Array, bias: Array, dropout: float = 0.0
) -> Any:
    """Build the network from 8-bit pixels to logits.

    Args:
        blocks: the base, see :mod:`curator.embed.network`.
        preprocessing: one of :data:`curator.embed.network.SCALINGS`.
        side: input height and width in pixels.
        kernel, bias: of the dense layer on the means of the last channels: (channels, labels), (labels,).
        dropout: share of those means that training leaves out.
    """
    layers = keras.layers
    pixels = keras.Input((side, side, 3), name="pixels")
    found = rescaling(preprocessing)(pixels)
    for number, block in enumerate(blocks):
        before = found
        for place, one in enumerate(block.convolutions):
            found = _convolve(found, one, f"block{number}_{place}")
        found = layers.Add(name=f"block{number}_sum")([before, found]) if block.is_sum else found
    found = layers.GlobalAveragePooling2D(name="means")(found)
    found = layers.Dropout(dropout, name="dropout")(found) if dropout else found
    head = layers.Dense(kernel.shape[1], name="head")
    network = keras.Model(pixels, head(found), name="network")
    head.set_weights([kernel, bias])
    return network


def _convolve(before: Any, one: Convolution, name: str) -> Any:
    n_out, n_in, *size = one.kernel.shape
    is_deep = n_in == 1
    kind = keras.layers.DepthwiseConv2D if is_deep else keras.layers.Conv2D
    of_size = {"kernel_size": size} if is_deep else {"kernel_size": size, "filters": n_out}
    layer = kind(strides=one.stride, padding="same", name=name, **of_size)
    found = layer(before)
    layer.set_weights([np.transpose(one.kernel, (2, 3, 0, 1) if is_deep else (2, 3, 1, 0)), one.bias])
    return keras.layers.ReLU(6.0, name=f"{name}_relu6")(found) if one.clipped else found
