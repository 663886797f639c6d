"""Keras, imported once and quietly: the only module that loads it, so that its start-up noise is hidden in one place.

>>> keras.__version__.split(".")[0]
'3'
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from curator.embed.network import SCALINGS

__all__ = ["keras", "rescaling", "set_random_seed", "versions"]


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep what native code writes to standard error off the terminal; show it only if the block fails."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            if failed:
                noise.seek(0)
                sys.stderr.write(noise.read().decode("utf-8", "replace"))


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with _quietly():
    keras: Any = importlib.import_module("keras")


def set_random_seed(seed: int) -> None:
    """Seed Python, NumPy and the backend as ``keras.utils.set_random_seed`` does.

    Under another backend Keras imports an installed TensorFlow for it, which writes to standard error as it loads.
    """
    with _quietly():
        keras.utils.set_random_seed(seed)


def rescaling(preprocessing: str) -> Any:
    """Make the layer that scales 8-bit pixels as one of :data:`curator.embed.network.SCALINGS`."""
    scale, offset = SCALINGS[preprocessing]
    return keras.layers.Rescaling(scale, offset=offset)


def versions() -> dict[str, str]:
    """Name Keras' version, its backend and the backend's version."""
    backend = keras.backend.backend()
    return {"keras": keras.__version__, "backend": backend, "backend_version": sys.modules[backend].__version__}
