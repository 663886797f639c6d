"""Run the frozen base over 8-bit pixels as fast as this machine can: ONNX Runtime if it is installed, else Keras.

>>> make_extractor.__annotations__["return"]
'Extractor'
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.benchmark.images.augment import PixelArray
from curator.benchmark.models.keras_backend import keras, rescaling

FloatArray = npt.NDArray[np.float32]

N_FEATURES = 1280
"""Channels of MobileNetV2's last layer, and so the length of an image's features."""

BATCH = 32
"""Images at once: enough to keep every core at work; more are no faster on a CPU and take more memory."""


@dataclass(frozen=True)
class Extractor:
    """Turns uint8 pixels (batch, side, side, 3) into float32 features (batch, 1280); ``runtime`` names what runs it."""

    runtime: str
    run: Callable[[PixelArray], FloatArray]


def make_extractor(base: Any, preprocessing: str) -> Extractor:
    """Choose the fastest runtime installed; their features are equal to float tolerance (a test holds them to it)."""
    has_onnx = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))
    return (onnx_extractor if has_onnx else keras_extractor)(base, preprocessing)


def keras_extractor(base: Any, preprocessing: str) -> Extractor:
    """Run the base, a Keras network from scaled pixels to features, with Keras on its own backend."""
    pixels = keras.Input(base.input_shape[1:])
    features = keras.Model(pixels, base(rescaling(preprocessing)(pixels), training=False), name="features")

    def run(pixels: PixelArray) -> FloatArray:
        return np.asarray(features.predict_on_batch(pixels), dtype=np.float32)

    return Extractor(f"keras {keras.__version__} ({keras.backend.backend()})", run)


def onnx_extractor(base: Any, preprocessing: str) -> Extractor:
    """Write the base as ONNX in memory and run it with ONNX Runtime on the CPU.

    Each core runs whole images by itself: one image's activations fit its cache, and no core waits for another within a
    layer. On two cores that is 1.4 times as fast as sharing each layer of a batch between them.
    """
    onnx_graph = importlib.import_module("curator.benchmark.models.onnx_graph")
    onnxruntime = importlib.import_module("onnxruntime")
    layer = rescaling(preprocessing)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    network = onnxruntime.InferenceSession(
        onnx_graph.onnx_bytes(base, layer.scale, layer.offset), options, providers=["CPUExecutionProvider"]
    )

    pool = ThreadPoolExecutor(os.cpu_count())

    def run_image(image: PixelArray) -> FloatArray:
        return np.asarray(network.run(None, {"pixels": np.ascontiguousarray(image[np.newaxis])})[0], dtype=np.float32)

    def run(pixels: PixelArray) -> FloatArray:
        return np.concatenate(list(pool.map(run_image, pixels)))

    return Extractor(f"onnxruntime {onnxruntime.__version__}", run)
