"""By which versions of what sees pictures were compared before the last dedupe, and by which they would be now.

>>> sorted(made_by())
['decoder', 'judge', 'sketch']
>>> has_evidence(DataPaths(Path("nowhere"), Path("nowhere"), "balls"))
False
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path as Path
from typing import Any

from curator.embed.weights import find_weights
from curator.errors import CuratorError
from curator.manifests.recipe import Recipe
from curator.matching.judge.versions import GLIMPSE_VERSION, JUDGE_VERSION, SKETCH_VERSION
from curator.observe.pixels import DECODER_VERSION
from curator.store.catalog_files import file_digest
from curator.store.judged_file import is_judged_by
from curator.store.paths import DataPaths


def made_by() -> dict[str, int]:
    """Return what decides a verdict besides the two contents."""
    return {"judge": JUDGE_VERSION, "sketch": SKETCH_VERSION, "decoder": DECODER_VERSION}


def has_evidence(paths: DataPaths) -> bool:
    """Return whether what was seen before the last dedupe can be read."""
    return is_judged_by(paths.judged, made_by())


def evidence_settings(recipe: Recipe, known: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what decides the evidence besides the pictures: versions, and the weights of the network that chooses.

    Args:
        recipe: its ``[embed]`` names the network.
        known: the same of the catalog that there is: a stage that was not requested is content with its network.
    """
    now = {**made_by(), "glimpse": GLIMPSE_VERSION}
    if known and {name: known.get(name) for name in now} == now:
        return dict(known)
    return {**now, "network": _weights(recipe)}


def _weights(recipe: Recipe) -> str:
    """Return the SHA-256 of the network's weights; empty: it cannot be run here."""
    if any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxruntime")):
        return ""
    try:
        return file_digest(find_weights(recipe.embed, recipe.base_dir))
    except (CuratorError, OSError):
        return ""
