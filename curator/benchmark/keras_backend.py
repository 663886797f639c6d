"""Keras, imported once and quietly: the only module that loads it, so that its start-up noise is hidden in one place.

>>> keras.__version__.split(".")[0]
'3'
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from typing import Any

__all__ = ["keras", "versions"]


def _import_quietly(name: str) -> Any:
    """Import a module whose native code writes to standard error; what it wrote is shown only if the import fails."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            module = importlib.import_module(name)
            failed = False
        except BaseException:
            failed = True
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            if failed:
                noise.seek(0)
                sys.stderr.write(noise.read().decode("utf-8", "replace"))
    return module


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras: Any = _import_quietly("keras")


def versions() -> dict[str, str]:
    """Name Keras' version, its backend and the backend's version."""
    backend = keras.backend.backend()
    return {
        "keras": keras.__version__,
        "backend": backend,
        "backend_version": sys.modules[backend].__version__,
    }
