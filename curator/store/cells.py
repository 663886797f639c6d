"""What cells of a catalog look like from which names of files are derived: else a changed catalog could name any file.

>>> import pandas as pd
>>> try:
...     check_cells(pd.DataFrame({"split": ["train", "../test"]}), Path("5-split.parquet"))
... except StateError as error:
...     print(error.message)
The catalog 5-split.parquet is damaged: split holds '../test'.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.errors import StateError
from curator.reasons import SPLITS
from curator.store.plain_json import shown

if TYPE_CHECKING:
    import pandas as pd

AGAIN = "Run the stage again with --force, or delete the file."
_PATTERNS = {
    "record_id": "[A-Za-z0-9][A-Za-z0-9_-]{0,199}",
    "sha256": "[0-9a-f]{64}",
    "format": "[a-z0-9]{1,16}",
    "split": "|".join(SPLITS),
}
"""A regular expression for the whole of each cell."""


def check_cells(table: pd.DataFrame, path: Path) -> None:
    """Make sure that the cells from which names of files are made look like those of a catalog of ours.

    Raises:
        StateError: some do not; the message has one of each column.
    """
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        faults = "; ".join(filter(None, threads.map(partial(_find_fault, table), _PATTERNS.items())))
    if faults:
        raise StateError(f"The catalog {path} is damaged: {faults}.", AGAIN)


def _find_fault(table: pd.DataFrame, looks: tuple[str, str]) -> str:
    name, pattern = looks
    if name not in table:
        return ""
    column = catalog.as_arrow(table[name], pa.string())
    wrong = pc.invert(pc.match_substring_regex(column, f"^(?:{pattern})$"))
    if not (n := pc.sum(wrong).as_py()):
        return ""
    return f"{name} holds {shown(column.filter(wrong)[0].as_py())}" + (f" and {n - 1:,} more" if n > 1 else "")
