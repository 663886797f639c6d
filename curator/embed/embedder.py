"""Run a network over 8-bit pixels with ONNX Runtime, the same to the bit from run to run on one machine.

Each core runs whole images by itself, with one thread and one image at a time: how many there are, and which are beside
an image, decides nothing, one image's activations fit a core's cache, and no core waits for another within a layer. On
two cores that is 1.4 times as fast as sharing each layer of a batch between them.

>>> Layout("pixels", True, (224, 224), "tensor(uint8)").side
224
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.embed.extra import import_package
from curator.errors import CuratorError

PixelArray = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

RunImage = Callable[[PixelArray], FloatArray]

DEFAULT_SIDE = 224
"""The side that a network is shown which takes any."""

IMAGENET = (np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32))
"""Mean and standard deviation of ImageNet's pixels in [0, 1], as most networks were trained with."""

MOST_SIDE = 1024


@dataclass(frozen=True)
class Embedder:
    """A frozen network, ready to run.

    Attributes:
        title: how reports call it.
        sha256: of the file that its weights came from.
        pixels: how pixels are scaled, a part of the names of caches.
        side: height and width of its input in pixels.
        n_features: length of an image's features.
        run_image: uint8 (side, side, 3) to float32 (n_features,).
    """

    title: str
    sha256: str
    pixels: str
    side: int
    n_features: int
    run_image: RunImage

    def run(self, pixels: PixelArray) -> FloatArray:
        """Return the features, float32 (batch, n_features), of pictures, uint8 (batch, side, side, 3)."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return np.stack(list(pool.map(self.run_image, pixels)))


@dataclass(frozen=True)
class Layout:
    """The image input of an ONNX file: its name, whether channels come last, height and width if fixed, its type."""

    name: str
    is_last: bool
    size: tuple[int, int] | None
    kind: str

    @property
    def side(self) -> int:
        """Height and width of what it is shown."""
        return self.size[0] if self.size else DEFAULT_SIDE


_KINDS = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(float16)": np.float16}


def start_session(model: bytes | str, name: str) -> Any:
    """Load an ONNX model for one thread; each run of it is the same to the bit.

    Raises:
        CuratorError: ONNX Runtime is not installed or cannot load it.
    """
    runtime = import_package("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    try:
        return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has a class of its own for each status
        reason = " ".join(str(error).split())
        raise CuratorError(f"{name} cannot be loaded as an ONNX model ({reason[:300]}).") from error


def runtime_version() -> str:
    """Name what runs the networks."""
    return f"onnxruntime {import_package('onnxruntime').__version__}"


def run_session(session: Any, name: str, prepare: Callable[[PixelArray], Any]) -> RunImage:
    """Return what runs one picture and returns the first output of it."""
    output = session.get_outputs()[0].name

    def run_image(image: PixelArray) -> FloatArray:
        (found,) = session.run([output], {name: prepare(np.ascontiguousarray(image[np.newaxis]))})
        return np.asarray(found[0], dtype=np.float32)

    return run_image


def open_onnx_file(path: Path, sha256: str, pixels: str) -> Embedder:
    """Make an embedder of any ONNX file with one image as its input.

    Args:
        path: the file.
        sha256: of its bytes.
        pixels: how a float input is scaled: ``imagenet`` (mean and deviation), ``unit`` ([0, 1]), ``symmetric``
            ([-1, 1]) or ``bytes`` (0 to 255). An input of bytes gets bytes.

    Raises:
        CuratorError: it has no such input, or its output is no vector an image; one sentence says what it has.
    """
    session = start_session(str(path), str(path))
    layout = read_layout(session, path)
    if layout.kind == "tensor(uint8)":
        pixels = "bytes"
    run = _pooled(run_session(session, layout.name, _preparation(layout, pixels)), layout.is_last)
    try:
        example = run(np.zeros((layout.side, layout.side, 3), np.uint8))
    except Exception as error:
        reason = " ".join(str(error).split())
        raise CuratorError(f"{path} does not run on an image of {layout.side} pixels ({reason[:300]}).") from error
    if example.ndim != 1 or len(example) < 2:
        raise CuratorError(f"{path} returns an array of shape {example.shape} for an image, not a vector of features.")
    return Embedder(path.stem, sha256, pixels, layout.side, len(example), run)


def read_layout(session: Any, path: Path) -> Layout:
    """Read the image input of a loaded ONNX file; see :func:`open_onnx_file`."""
    inputs = session.get_inputs()
    shapes = ", ".join(f"{one.name} {_spelled(one.shape)} of {one.type}" for one in inputs)
    wanted = "An image model has one input, (batch, 3, side, side) or (batch, side, side, 3), of floats or bytes"
    refusal = CuratorError(f"{path} takes {shapes or 'no input'}.", f"{wanted}.")
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in _KINDS:
        raise refusal
    batch, *shape = inputs[0].shape
    is_last = shape[0] != 3 and shape[2] == 3
    size = shape[:2] if is_last else shape[1:]
    if (is_last or shape[0] == 3) and isinstance(batch, int) and batch > 1:
        raise CuratorError(f"{path} takes {shapes}: always {batch} images at once.", f"{wanted}, and any batch, or 1.")
    fixed = [one for one in size if isinstance(one, int) and one > 0]
    if not (is_last or shape[0] == 3) or (fixed and (len(set(fixed)) > 1 or not 8 <= fixed[0] <= MOST_SIDE)):
        raise refusal
    return Layout(inputs[0].name, is_last, (fixed[0], fixed[0]) if fixed else None, inputs[0].type)


def _spelled(shape: Sequence[object]) -> str:
    return f"({', '.join(str(one) if one else '?' for one in shape)})"


def _preparation(layout: Layout, pixels: str) -> Callable[[PixelArray], Any]:
    dtype = _KINDS[layout.kind]
    mean: FloatArray
    deviation: FloatArray
    mean, deviation = {
        "imagenet": (255 * IMAGENET[0], 255 * IMAGENET[1]),
        "unit": (np.zeros(1, np.float32), np.full(1, 255, np.float32)),
        "symmetric": (np.full(1, 127.5, np.float32), np.full(1, 127.5, np.float32)),
        "bytes": (np.zeros(1, np.float32), np.ones(1, np.float32)),
    }[pixels]

    def prepare(image: PixelArray) -> Any:
        scaled = image if dtype is np.uint8 else (image.astype(np.float32) - mean) / deviation
        return np.ascontiguousarray(scaled if layout.is_last else scaled.transpose(0, 3, 1, 2), dtype=dtype)

    return prepare


def _pooled(run: RunImage, is_last: bool) -> RunImage:
    """Take the mean over rows and columns, or over parts of the picture, of an output that still has them."""

    def pooled(image: PixelArray) -> FloatArray:
        found = run(image)
        if found.ndim == 3:
            return np.asarray(found.mean(axis=(0, 1) if is_last else (1, 2)))
        return np.asarray(found.mean(axis=0)) if found.ndim == 2 else found

    return pooled
