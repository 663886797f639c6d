"""Build labelled image-classification data sets that a person can trust, cite and rebuild.

The public API: what the command line does, for a notebook or a program.

>>> import curator
>>> curator.__all__
['CuratorError', 'Dataset', 'audit', 'create', 'open', 'search_classes']

Names are imported when they are first used: ``curator --help`` and the observing processes start without pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curator.dataset import Dataset
    from curator.dataset import create_dataset as create
    from curator.dataset import open_dataset as open
    from curator.errors import CuratorError
    from curator.inspect.audit.audit import audit
    from curator.sources.class_index.search import search_classes

__all__ = ["CuratorError", "Dataset", "audit", "create", "open", "search_classes"]
__version__ = "0.1.0"

_HOMES = {
    "CuratorError": ("curator.errors", "CuratorError"),
    "Dataset": ("curator.dataset", "Dataset"),
    "audit": ("curator.inspect.audit.audit", "audit"),
    "create": ("curator.dataset", "create_dataset"),
    "open": ("curator.dataset", "open_dataset"),
    "search_classes": ("curator.sources.class_index.search", "search_classes"),
}
"""Public name to the module that defines it and its name there."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'curator' has no attribute {name!r}")
    import importlib

    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)
