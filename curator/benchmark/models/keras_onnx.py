"""A Keras network as ONNX, layer by layer, without TensorFlow's converter: the same file whatever the backend is.

Only the layers that the networks here are made of are known; a test holds the outputs of both to each other.

>>> from curator.benchmark.models.cnn import build_cnn
>>> graph = Graph()
>>> add_keras(graph, build_cnn(n_labels=2, side=16))
'Add_19'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from curator.benchmark.models.keras_backend import keras
from curator.embed.graph import Graph


def add_keras(graph: Graph, network: Any) -> str:
    """Add a network from 8-bit pixels, with channels last, to logits; return the name of its output.

    Raises:
        ValueError: it has a layer that is not known here; the message names it.
    """
    names: dict[int, str] = {}
    for layer in network.layers:
        kind = type(layer).__name__
        if kind == "InputLayer":
            continue
        if kind not in _KNOWN:
            raise ValueError(f"its layer {layer.name} is a {kind}, which is not written as ONNX")
        inputs = [names.get(id(tensor), "") for tensor in keras.tree.flatten(layer.input)]
        name = _KNOWN[kind](graph, layer, inputs)
        names[id(layer.output)] = _activated(graph, layer, name)
    return names[id(network.layers[-1].output)]


def _activated(graph: Graph, layer: Any, name: str) -> str:
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    if activation not in ("linear", "relu"):
        raise ValueError(f"its layer {layer.name} ends in {activation}, which is not written as ONNX")
    return graph.add("Relu", [name]) if activation == "relu" else name


def _rescaling(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return graph.pixels(layer.scale, layer.offset)


def _convolution(graph: Graph, layer: Any, inputs: list[str]) -> str:
    kernel, bias = layer.get_weights()
    # Keras has (height, width, in, out); of one a channel (height, width, channels, 1).
    is_deep = type(layer).__name__ == "DepthwiseConv2D"
    kernel = kernel.transpose((2, 3, 0, 1) if is_deep else (3, 2, 0, 1))
    if layer.padding != "same":
        raise ValueError(f"its layer {layer.name} is padded as {layer.padding}, which is not written as ONNX")
    return graph.convolution(inputs[0], kernel, bias, layer.strides[0], len(kernel) if is_deep else 1)


def _largest(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return graph.add("MaxPool", inputs, kernel_shape=list(layer.pool_size), strides=list(layer.strides))


def _flatten(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return graph.add("Flatten", [graph.add("Transpose", inputs, perm=[0, 2, 3, 1])])


def _dense(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return graph.dense(inputs[0], *layer.get_weights())


def _normalisation(graph: Graph, layer: Any, inputs: list[str]) -> str:
    arrays = [
        graph.constant(np.asarray(one, np.float32)) for one in layer.get_weights()
    ]  # scale, shift, mean, variance
    return graph.add("BatchNormalization", [*inputs, *arrays], epsilon=float(layer.epsilon))


def _clip(graph: Graph, layer: Any, inputs: list[str]) -> str:
    if layer.max_value is None:
        return graph.add("Relu", inputs)
    return graph.add("Clip", [*inputs, *(graph.constant(np.float32(value)) for value in (0, layer.max_value))])


_KNOWN: Mapping[str, Callable[[Graph, Any, list[str]], str]] = {
    "Rescaling": _rescaling,
    "Conv2D": _convolution,
    "DepthwiseConv2D": _convolution,
    "BatchNormalization": _normalisation,
    "MaxPooling2D": _largest,
    "GlobalAveragePooling2D": lambda graph, layer, inputs: graph.add(
        "Flatten", [graph.add("GlobalAveragePool", inputs)]
    ),
    "Dropout": lambda graph, layer, inputs: inputs[0],
    "Flatten": _flatten,
    "Dense": _dense,
    "ReLU": _clip,
    "Add": lambda graph, layer, inputs: graph.add("Add", inputs),
}
