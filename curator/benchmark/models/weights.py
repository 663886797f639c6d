"""The weights that transfer models start from: found, checked, and never replaced by a random base.

>>> WEIGHTS_NAME
'mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5'
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curator.benchmark.models.keras_backend import keras
from curator.embed import efficientnet_lite0, mobilenet_v2
from curator.embed.mobilenet_v2 import HOW_TO_GET, WEIGHTS_NAME, WEIGHTS_URL, weights_at_hand
from curator.embed.network import Block
from curator.errors import CuratorError
from curator.events import Listener, Noted
from curator.store.catalog_files import file_digest

_TIMEOUT_S = 30.0


class WeightsUnreachableError(CuratorError):
    """No weights were given, none are in Keras' cache, and the download failed; the other models train all the same."""

    exit_code = 1


@dataclass(frozen=True)
class PretrainedBase:
    """A frozen network with its weights, the file that they came from, and the number of its parameters."""

    title: str
    blocks: tuple[Block, ...]
    path: Path
    sha256: str
    n_parameters: int


def load_mobilenet_v2(given: Path | None, emit: Listener) -> PretrainedBase:
    """Read MobileNetV2 with its ImageNet weights, without its top.

    Args:
        given: the file of ``--weights``; None looks in ``$CURATOR_WEIGHTS``, Keras' cache, then downloads.
        emit: receives a note of a download.

    Raises:
        StateError: the file that was named is missing or holds other weights (shapes named).
        WeightsUnreachableError: no file was named and none can be obtained.
    """
    path = weights_at_hand(given) or _download(emit)
    blocks, n_parameters = mobilenet_v2.read_blocks(path)
    return PretrainedBase("MobileNetV2", tuple(blocks), path, file_digest(path), n_parameters)


def load_efficientnet_lite0(given: Path | None, emit: Listener) -> PretrainedBase:
    """Read EfficientNet-Lite0 from the package that brings its weights.

    Raises:
        WeightsUnreachableError: the package is not installed.
        StateError: its file holds anything else.
    """
    try:
        path = efficientnet_lite0.find_weights()
    except CuratorError as error:
        raise WeightsUnreachableError(
            f"EfficientNet-Lite0's weights are missing. {error.message}", error.hint
        ) from error
    blocks, n_parameters = efficientnet_lite0.read_blocks(path)
    return PretrainedBase("EfficientNet-Lite0", tuple(blocks), path, file_digest(path), n_parameters)


def _download(emit: Listener) -> Path:
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
