"""Drop what a recipe's licence policy does not allow, before anything is requested, each row with its licence.

>>> import pandas as pd
>>> rows = {"record_id": ["x-1", "x-2", "x-3"], "license": ["CC BY 2.0", "CC BY-NC 2.0", None]}
>>> table = catalog.conform(pd.DataFrame(rows | {"label": "a", "source": "x", "kind": "x", "tier": 0}))
>>> decided = drop_unlicensed(table, LicenceSettings(allow=("CC-BY",)))
>>> decided["drop_reason"].tolist()
[<NA>, 'licence-not-allowed', 'licence-unknown']
>>> decided["drop_detail"].tolist()
[<NA>, 'CC BY-NC 2.0 (CC-BY-NC-2.0)', 'no licence is stated']
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from curator import catalog
from curator.catalog import Drop, Stage, Table, as_arrow
from curator.manifests.licences import licence_name
from curator.manifests.settings import LicenceSettings
from curator.manifests.spdx import is_allowed, spdx_id

_LONGEST = 80


def drop_unlicensed(table: Table, settings: LicenceSettings) -> Table:
    """Drop the rows of a catalog whose licence is not allowed, or not known if that is not to be kept.

    Args:
        table: a catalog; rows that are dropped already stay as they are.
        settings: without ``allow``, nothing is dropped.
    """
    if not settings.allow:
        return table
    coded: Any = as_arrow(table["license"], pa.string()).dictionary_encode()
    judged = [_judge(text, settings) for text in [*coded.dictionary.to_pylist(), ""]]
    place = pa.array(coded.indices).fill_null(len(judged) - 1)
    for reason in (Drop.LICENCE_NOT_ALLOWED, Drop.LICENCE_UNKNOWN):
        is_out = pa.array([one == reason for one, _ in judged], pa.bool_()).take(place)
        details = pa.array([detail for _, detail in judged], pa.string()).take(place)
        table = catalog.drop(table, np.asarray(is_out.to_numpy(False), bool), Stage.LISTED, reason, details)
    return table


def _judge(stated: str, settings: LicenceSettings) -> tuple[Drop | None, str]:
    """Return why a stated licence is out, None if it is not, and what it says."""
    known = spdx_id(stated)
    if is_allowed(stated, settings.allow) or (known is None and settings.unknown == "keep"):
        return None, ""
    if known is not None:
        return Drop.LICENCE_NOT_ALLOWED, f"{licence_name(stated)} ({known})"
    shown = stated if len(stated) <= _LONGEST else f"{stated[:_LONGEST]}…"
    return Drop.LICENCE_UNKNOWN, f"{shown!r} is no licence that is known here" if stated else "no licence is stated"
