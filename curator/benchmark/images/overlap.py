"""Pretraining overlap: classes that the transfer model's base was itself trained on.

>>> overlapping_synsets(["n04254680", "n00478262", "/m/06bqd"])
['n04254680']
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources


def ilsvrc_synsets() -> frozenset[str]:
    """Name the 1,000 synsets of ILSVRC 2012, whose images MobileNetV2's ImageNet weights were trained on."""
    text = resources.files("curator.benchmark").joinpath("ilsvrc2012_synsets.txt").read_text("utf-8")
    return frozenset(text.split())


def overlapping_synsets(source_classes: Iterable[object]) -> list[str]:
    """Pick the source classes that are ILSVRC 2012 synsets, sorted."""
    return sorted(ilsvrc_synsets() & {str(name) for name in source_classes})


def overlap_warning(source_classes: Iterable[object]) -> str:
    """Say which classes overlap with the pretraining, or nothing where none does."""
    found = overlapping_synsets(source_classes)
    if not found:
        return ""
    return (
        f"Images of {', '.join(found)} come from ILSVRC-1k synsets: MobileNetV2's ImageNet weights were probably "
        f"trained on these very images, so its test accuracy here is too good. The sport synsets have no such overlap."
    )
