"""The packages of the extra ``embed``, imported when they are needed, so that every other command starts without them.

>>> import_package("no_such_package")
Traceback (most recent call last):
curator.errors.CuratorError: This needs the package no_such_package, which is not installed. Install what belongs to \
it with `pip install 'imageset-curator[embed]'`.
"""

from __future__ import annotations

import importlib
from typing import Any

from curator.errors import CuratorError


def import_package(name: str, install: str = "'imageset-curator[embed]'") -> Any:
    """Import a package, or say how to install it.

    Args:
        name: the module's name.
        install: what ``pip install`` is to be given.

    Raises:
        CuratorError: it is not installed, or does not work on this machine.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        missing = name.partition(".")[0]
        hint = f"Install what belongs to it with `pip install {install}`."
        if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == missing:
            raise CuratorError(f"This needs the package {missing}, which is not installed.", hint) from error
        raise CuratorError(f"The package {missing} does not work here ({error}).", hint) from error
