"""Write a frozen Keras network of convolutions as ONNX, so that ONNX Runtime can run it two to four times faster.

Only the layers that MobileNetV2 is made of are known; operators are those of
https://onnx.ai/onnx/operators/ (opset 13). Keras keeps channels last, ONNX first: one transposition at the input,
and kernels are transposed as they are written.

>>> GraphWriter().add("Identity", ["pixels"])
'Identity_0'
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from curator.benchmark.models.keras_backend import keras

OPSET = 13
IR_VERSION = 8


class GraphWriter:
    """Collects the nodes and weights of one graph; each method adds a node and returns its output's name."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def add(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        """Add a node; returns the name of its single output."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def weight(self, values: Any, dtype: type[np.generic] = np.float32) -> str:
        """Add a constant; returns its name."""
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def convolution(self, layer: Any, inputs: list[str]) -> str:
        """Add a convolution; Keras' kernel is (height, width, in, out), a depthwise one (height, width, in, 1)."""
        depthwise = type(layer).__name__ == "DepthwiseConv2D"
        kernel, *biases = (np.asarray(array) for array in layer.get_weights())
        kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
        return self.add(
            "Conv",
            [*inputs, self.weight(kernel), *(self.weight(bias) for bias in biases)],
            strides=list(layer.strides),
            group=kernel.shape[0] if depthwise else 1,
            auto_pad="SAME_UPPER" if layer.padding == "same" else "VALID",
        )

    def normalization(self, layer: Any, inputs: list[str]) -> str:
        """Add batch normalisation as it is at inference: a scale and an offset a channel."""
        gamma, beta, mean, variance = (np.asarray(array, dtype=np.float64) for array in layer.get_weights())
        scale = gamma / np.sqrt(variance + layer.epsilon)
        product = self.add("Mul", [*inputs, self.weight(scale.reshape(1, -1, 1, 1))])
        return self.add("Add", [product, self.weight((beta - mean * scale).reshape(1, -1, 1, 1))])

    def clipping(self, layer: Any, inputs: list[str]) -> str:
        """Add a ReLU with an upper bound."""
        return self.add("Clip", [*inputs, self.weight(0.0), self.weight(layer.max_value)])

    def zero_padding(self, layer: Any, inputs: list[str]) -> str:
        """Add rows and columns of zeros."""
        (top, bottom), (left, right) = layer.padding
        return self.add("Pad", [*inputs, self.weight([0, 0, top, left, 0, 0, bottom, right], np.int64)])

    def addition(self, layer: Any, inputs: list[str]) -> str:
        """Add the sum of two branches."""
        return self.add("Add", inputs)

    def pooling(self, layer: Any, inputs: list[str]) -> str:
        """Add the mean over rows and columns."""
        return self.add("Flatten", [self.add("GlobalAveragePool", inputs)])


WRITERS: dict[str, Callable[[GraphWriter, Any, list[str]], str]] = {
    "Conv2D": GraphWriter.convolution,
    "DepthwiseConv2D": GraphWriter.convolution,
    "BatchNormalization": GraphWriter.normalization,
    "ReLU": GraphWriter.clipping,
    "ZeroPadding2D": GraphWriter.zero_padding,
    "Add": GraphWriter.addition,
    "GlobalAveragePooling2D": GraphWriter.pooling,
}


def onnx_bytes(base: Any, scale: float, offset: float) -> bytes:
    """Serialise a frozen functional network from 8-bit pixels to pooled features.

    Args:
        base: a Keras functional model made of the layers in :data:`WRITERS`, input (batch, side, side, 3).
        scale: pixels are multiplied by this first.
        offset: then this is added.

    Returns:
        An ONNX model: input ``pixels`` uint8 (batch, side, side, 3), output ``features`` float32 (batch, channels).

    Raises:
        KeyError: the network has a layer that is not known here.
    """
    writer = GraphWriter()
    floats = writer.add("Cast", ["pixels"], to=TensorProto.FLOAT)
    scaled = writer.add("Add", [writer.add("Mul", [floats, writer.weight(scale)]), writer.weight(offset)])
    names = {base.inputs[0].name: writer.add("Transpose", [scaled], perm=[0, 3, 1, 2])}
    for layer in base.layers[1:]:
        inputs = [names[tensor.name] for tensor in keras.tree.flatten(layer.input)]
        names[layer.output.name] = WRITERS[type(layer).__name__](writer, layer, inputs)
    writer.nodes.append(helper.make_node("Identity", [names[base.outputs[0].name]], ["features"]))
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", *base.input_shape[1:]])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", base.output_shape[-1]])
    graph = helper.make_graph(writer.nodes, "features", [pixels], [features], writer.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    serialised: bytes = model.SerializeToString()
    return serialised
