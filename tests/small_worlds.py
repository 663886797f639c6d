"""Small labelled folders that tests curate: pictures made here, so that the tests need no file from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from curator.manifests.project import Project
from curator.manifests.read_recipe import parse_recipe
from curator.sources.registry import source_kinds
from curator.store.paths import DataPaths


def picture(seed: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """Make a picture unlike any of another seed: coarse coloured noise, smoothly enlarged."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def write_folder(root: Path, n_per_label: int, labels: Sequence[str] = ("rugby", "soccer")) -> Path:
    """Write ``root/<label>/<n>.jpg``, no two alike."""
    for index, label in enumerate(labels):
        (root / label).mkdir(parents=True)
        for n in range(n_per_label):
            picture(1000 * index + n).save(root / label / f"{n:03d}.jpg", quality=90)
    return root


def recipe_text(
    folder: Path, per_class: int | str = 10, labels: Sequence[str] = ("rugby", "soccer"), more: str = ""
) -> str:
    """Compose a recipe for such a folder."""
    quoted = ", ".join(f'"{label}"' for label in labels)
    count = f'"{per_class}"' if isinstance(per_class, str) else per_class
    return f"""
name = "small"
labels = [{quoted}]
[[sources]]
kind = "folder"
path = "{folder.as_posix()}"
[balance]
per_class = {count}
{more}
"""


def small_project(root: Path, text: str) -> Project:
    """Write the recipe under ``root`` and open it with its data beside it."""
    path = root / "manifests" / "small" / "recipe.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    recipe = parse_recipe(text, source_kinds(), path)
    return Project(recipe, DataPaths(root / "data", path.parent, "small"))
