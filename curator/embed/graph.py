"""Write a network as ONNX, node by node: operators are those of https://onnx.ai/onnx/operators/ (opset 13).

>>> graph = Graph()
>>> _ = graph.add("Flatten", [graph.add("GlobalAveragePool", [graph.pixels(1 / 255, 0.0)])], output="means")
>>> graph.serialise("means", 3, (8, 8))[:2].hex()
'0808'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.embed.extra import import_package

OPSET, IR_VERSION = 13, 8

INPUT = "pixels"

Array = npt.NDArray[Any]


class Graph:
    """Collects nodes and constants; each method adds some and returns its output's name.

    Raises:
        CuratorError: the package onnx is not installed.
    """

    def __init__(self) -> None:
        self.onnx = import_package("onnx")
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """Add one node."""
        name = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def constant(self, values: Any) -> str:
        """Add an array."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.asarray(values), name))
        return name

    def pixels(self, factor: float, offset: float) -> str:
        """Take the input, 8-bit pixels, times ``factor`` plus ``offset``, and put its channels first."""
        floats = self.add("Cast", [INPUT], to=self.onnx.TensorProto.FLOAT)
        scaled = self.add("Mul", [floats, self.constant(np.float32(factor))])
        shifted = self.add("Add", [scaled, self.constant(np.float32(offset))])
        return self.add("Transpose", [shifted], perm=[0, 3, 1, 2])

    def convolution(self, before: str, kernel: Array, bias: Array, stride: int = 1, n_groups: int = 1) -> str:
        """Add a convolution, padded as TensorFlow's SAME: kernel (out, in a group, height, width), bias (out,)."""
        inputs = [before, self.constant(kernel), self.constant(bias)]
        shape: dict[str, Any] = {"kernel_shape": list(kernel.shape[2:]), "strides": [stride] * 2, "group": n_groups}
        return self.add("Conv", inputs, auto_pad="SAME_UPPER", **shape)

    def dense(self, before: str, kernel: Array, bias: Array) -> str:
        """Add a dense layer: kernel (in, out), bias (out,)."""
        product = self.add("MatMul", [before, self.constant(np.asarray(kernel, np.float32))])
        return self.add("Add", [product, self.constant(np.asarray(bias, np.float32))])

    def serialise(
        self, output: str, n: int, size: tuple[Any, Any], facts: Mapping[str, str] | None = None, about: str = ""
    ) -> bytes:
        """Write the model from the input, uint8 (batch, height, width, 3), to one output, float32 (batch, n).

        Args:
            output: a node's name.
            n: its length for one image.
            size: height and width, as numbers or as names.
            facts: are kept in the file as metadata.
            about: is kept in the file as its description.
        """
        helper, kinds = self.onnx.helper, self.onnx.TensorProto
        pixels = helper.make_tensor_value_info(INPUT, kinds.UINT8, ["batch", *size, 3])
        out = helper.make_tensor_value_info(output, kinds.FLOAT, ["batch", n])
        graph = helper.make_graph(self.nodes, output, [pixels], [out], self.constants)
        operators = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=operators, ir_version=IR_VERSION, doc_string=about)
        helper.set_model_props(model, dict(facts or {}))
        self.onnx.checker.check_model(model)
        serialised: bytes = model.SerializeToString()
        return serialised
