"""ONNX files of any input that tests hand to curator as a network of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def write_model(path: Path, shape: list[Any], dtype: Any = None, inputs: int = 1, flat: bool = False) -> Path:
    """Write an ONNX file that returns the mean of each column over rows and channels; ``flat``: one number."""
    onnx = pytest.importorskip("onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    dtype = dtype or kinds.FLOAT
    names = [f"image{number}" for number in range(inputs)]
    takes = [helper.make_tensor_value_info(name, dtype, shape) for name in names]
    axes = [1, 2, 3] if flat else [1, 2] if shape[-1] != 3 else [1, 3]
    cast = helper.make_node("Cast", [names[0]], ["floats"], to=kinds.FLOAT)
    mean = helper.make_node("ReduceMean", ["floats"], ["features"], axes=axes[: len(shape) - 1], keepdims=0)
    gives = helper.make_tensor_value_info("features", kinds.FLOAT, None)
    graph = helper.make_graph([cast, mean], "g", takes, [gives])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path
