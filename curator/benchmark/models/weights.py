"""The weights that transfer models start from: found, checked, and never replaced by a random base or downloaded.

Nobody publishes a SHA-256 of MobileNetV2's file, so that a download could not be checked: a person names the file.

>>> WEIGHTS_NAME
'mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5'
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curator.embed import efficientnet_lite0, mobilenet_v2
from curator.embed.network import Block
from curator.embed.weights import HOW_TO_GET, find_lite0, weights_at_hand
from curator.embed.weights import WEIGHTS_NAME as WEIGHTS_NAME
from curator.errors import CuratorError
from curator.events import Listener
from curator.store.catalog_files import file_digest


class WeightsUnreachableError(CuratorError):
    """No weights were given, and none are in Keras' cache; the other models train all the same."""

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
        given: the file of ``--weights``; None looks in ``$CURATOR_WEIGHTS`` and Keras' cache.
        emit: is told nothing here.

    Raises:
        StateError: the file that was named is missing or holds other weights (shapes named).
        WeightsUnreachableError: no file was named and none is at hand.
    """
    if (path := weights_at_hand(given)) is None:
        raise WeightsUnreachableError("MobileNetV2's ImageNet weights are not on this machine.", HOW_TO_GET)
    blocks, n_parameters = mobilenet_v2.read_blocks(path)
    return PretrainedBase("MobileNetV2", tuple(blocks), path, file_digest(path), n_parameters)


def load_efficientnet_lite0(given: Path | None, emit: Listener) -> PretrainedBase:
    """Read EfficientNet-Lite0 from the package that brings its weights.

    Raises:
        WeightsUnreachableError: the package is not installed.
        StateError: its file holds anything else.
    """
    try:
        path = find_lite0()
    except CuratorError as error:
        raise WeightsUnreachableError(
            f"EfficientNet-Lite0's weights are missing. {error.message}", error.hint
        ) from error
    blocks, n_parameters = efficientnet_lite0.read_blocks(path)
    return PretrainedBase("EfficientNet-Lite0", tuple(blocks), path, file_digest(path), n_parameters)
