"""Arrow without pandas, for a command that needs none: it takes longer to import than all else of a short fetch.

>>> import subprocess
>>> script = '''
... import sys, pyarrow as pa
... from curator.cli.arrow_alone import use_arrow_alone
... use_arrow_alone()
... numbers = pa.array([1, None])
... print('pandas' in sys.modules, numbers.to_pandas().isna().sum(), 'pandas' in sys.modules)'''
>>> print(subprocess.check_output([sys.executable, "-c", script], text=True).strip())
False 1 True
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from curator.manifests.project import Project


def needs_no_pandas(project: Project) -> bool:
    """Return whether all that fetches a data set works on Arrow tables: its sources, and this machine alone.

    A source that is not of curator may make them with pandas: Arrow alone would read a Series as if it were a list.
    """
    recipe = project.recipe
    ours = all(one.lists_tables and type(one).__module__.startswith("curator.") for one in recipe.sources)
    return ours and recipe.engine.kind == "local" and not recipe.fetch.rescue


class _NoPandas(MetaPathFinder):
    """Finds no pandas, wherever it is."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Refuse pandas, and leave all else to others."""
        if name == "pandas":
            raise ModuleNotFoundError(name)


def use_arrow_alone() -> None:
    """Have Arrow look for pandas now, and find none.

    With the first array that it makes of values it would import pandas, as they might be a Series. Who needs pandas
    gets it all the same: Arrow looks again for what is to be a DataFrame (``pyarrow/pandas-shim.pxi``). Until then it
    reads a Series as if it were a list.
    """
    if "pandas" not in sys.modules:
        refusing = _NoPandas()
        sys.meta_path.insert(0, refusing)
        try:
            pa.array([0])
        finally:
            sys.meta_path.remove(refusing)
