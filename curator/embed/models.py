"""The network that a recipe's ``[embed]`` means: one of two that curator knows, or any ONNX file.

>>> sorted(KNOWN)
['efficientnet_lite0', 'mobilenet_v2']
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from curator.embed import efficientnet_lite0, mobilenet_v2
from curator.embed.embedder import Embedder, open_onnx_file, run_session, start_session
from curator.embed.extra import import_package
from curator.embed.network import N_LAST, Block, onnx_bytes
from curator.embed.weights import find_weights
from curator.manifests.settings import EmbedSettings
from curator.store.catalog_files import file_digest


@dataclass(frozen=True)
class KnownNetwork:
    """A network that curator puts together itself: its title, what it is shown, how its weights are read."""

    title: str
    pixels: str
    side: int
    read: Callable[[Path], tuple[list[Block], int]]


KNOWN = {
    "efficientnet_lite0": KnownNetwork(
        "EfficientNet-Lite0",
        efficientnet_lite0.PIXELS,
        efficientnet_lite0.SIDE,
        efficientnet_lite0.read_blocks,
    ),
    "mobilenet_v2": KnownNetwork("MobileNetV2", mobilenet_v2.PIXELS, mobilenet_v2.SIDE, mobilenet_v2.read_blocks),
}
"""The networks by the names that a recipe may use; any other name is a path."""


def open_embedder(settings: EmbedSettings, base_dir: Path) -> Embedder:
    """Load the network that ``[embed]`` names.

    Args:
        settings: a known name, or a path of an ONNX file and how its pixels are scaled.
        base_dir: where a relative path starts.

    Raises:
        CuratorError: packages or weights are missing, or the file is no image model; the message says what to do.
    """
    network = KNOWN.get(settings.model)
    if network:
        import_package("onnxruntime")  # before the weights are read
    path = find_weights(settings, base_dir)
    if not network:
        return open_onnx_file(path, file_digest(path), settings.pixels)
    blocks, _ = network.read(path)
    return assemble(network.title, file_digest(path), blocks, network.pixels, network.side)


def assemble(title: str, sha256: str, blocks: Sequence[Block], pixels: str, side: int) -> Embedder:
    """Make an embedder of a network of inverted residuals.

    Args:
        title: how reports call it.
        sha256: of the file of its weights.
        blocks, pixels: see :func:`curator.embed.network.onnx_bytes`.
        side: of the pictures that it is shown, in pixels; any will do.
    """
    session = start_session(onnx_bytes(blocks, pixels), title)
    return Embedder(title, sha256, pixels, side, N_LAST, run_session(session, "pixels", lambda image: image))
