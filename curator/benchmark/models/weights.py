"""MobileNetV2's ImageNet weights: find them, check them, load them, and never go on with a random base.

>>> WEIGHTS_NAME
'mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5'
"""

from __future__ import annotations

import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curator.benchmark.models.keras_backend import keras
from curator.errors import CuratorError, StateError
from curator.events import Listener, Noted
from curator.store.catalog_files import file_digest
from curator.text import Command, Text

WEIGHTS_NAME = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
WEIGHTS_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/{WEIGHTS_NAME}"
"""Where Keras itself downloads them from."""

VARIABLE = "CURATOR_WEIGHTS"
HOW_TO_GET: Text = (
    f"Download {WEIGHTS_URL} on a machine that can, and pass the file: ",
    Command(f"benchmark --weights {WEIGHTS_NAME}"),
    f" (or set ${VARIABLE}).",
)
_TIMEOUT_S = 30.0


class WeightsUnreachableError(CuratorError):
    """No weights were given, none are in Keras' cache, and the download failed; the other models train all the same."""

    exit_code = 1


@dataclass(frozen=True)
class PretrainedBase:
    """The frozen base with its weights, and the file that they came from."""

    model: Any
    path: Path
    sha256: str


def build_frozen_base(side: int) -> Any:
    """Build MobileNetV2 without its top, average-pooled to 1,280 features, frozen, its weights still random.

    Sandler and others 2018, https://arxiv.org/abs/1801.04381.
    """
    base = keras.applications.MobileNetV2(
        input_shape=(side, side, 3), include_top=False, weights=None, pooling="avg", name="mobilenet_v2"
    )
    base.trainable = False
    return base


def load_base(given: Path | None, side: int, emit: Listener) -> PretrainedBase:
    """Build the frozen base and load its ImageNet weights.

    Args:
        given: the file of ``--weights``; None looks in ``$CURATOR_WEIGHTS``, Keras' cache, then downloads.
        side: input side in pixels.
        emit: receives a note of a download.

    Raises:
        StateError: the file that was named is missing or holds other weights (shapes named).
        WeightsUnreachableError: no file was named and none can be obtained.
    """
    path = find_weights(given, emit)
    base = build_frozen_base(side)
    random_kernels = _kernels(base)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            base.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        raise _not_the_weights(path, " ".join(str(error).split())) from error
    kept = [name for name, kernel in _kernels(base).items() if np.array_equal(kernel, random_kernels[name])]
    if kept:
        raise _not_the_weights(path, f"it has nothing for {len(kept)} layers, such as {kept[0]}.")
    return PretrainedBase(base, path, file_digest(path))


def _kernels(base: Any) -> dict[str, Any]:
    """Copy every convolution's kernel: a loader that skips a layer with a mere warning leaves it as it was."""
    return {layer.name: np.array(layer.get_weights()[0]) for layer in base.layers if "Conv2D" in type(layer).__name__}


def _not_the_weights(path: Path, reason: str) -> StateError:
    return StateError(f"{path} does not hold MobileNetV2's weights (1.0, 224, without top): {reason}", HOW_TO_GET)


def find_weights(given: Path | None, emit: Listener) -> Path:
    """Find the weights file; see :func:`load_base`."""
    if named := given or os.environ.get(VARIABLE):
        if not Path(named).is_file():
            origin = "--weights" if given else f"${VARIABLE}"
            raise StateError(f"The weights file {named} ({origin}) does not exist.", HOW_TO_GET)
        return Path(named)
    keras_home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    if not (keras_home / "models" / WEIGHTS_NAME).is_file():
        emit(Noted("MobileNetV2's ImageNet weights (9 MB) are not in Keras' cache; downloading them."))
    try:
        with _quiet_download():
            return Path(keras.utils.get_file(WEIGHTS_NAME, WEIGHTS_URL, cache_subdir="models"))
    except Exception as error:  # get_file raises plain Exception if the server cannot be reached
        message = f"MobileNetV2's ImageNet weights cannot be obtained ({' '.join(str(error).split())})."
        raise WeightsUnreachableError(message, HOW_TO_GET) from error


@contextmanager
def _quiet_download() -> Iterator[None]:
    """Keep Keras from drawing its own bar and from waiting for ever."""
    interactive, timeout_s = keras.config.is_interactive_logging_enabled(), socket.getdefaulttimeout()
    keras.config.disable_interactive_logging()
    socket.setdefaulttimeout(_TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(timeout_s)
        if interactive:
            keras.config.enable_interactive_logging()
