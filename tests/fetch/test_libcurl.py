"""The fetch and the benchmark share a process."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_the_fetch_starts_after_tensorflow_was_imported() -> None:
    """TensorFlow makes the symbols of its own libcurl visible to all; ours must not be bound to them."""
    pytest.importorskip("tensorflow")
    code = "import tensorflow, curator.fetch.run; from curator.fetch.libcurl import pycurl; print(pycurl.version)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("PycURL/"), done.stderr
