"""Drop images that are too small, too large or too long, each with the size that decided.

>>> import pandas as pd
>>> sizes = {"record_id": ["folder-1"], "label": ["a"], "source": ["x"], "kind": ["folder"], "tier": [0]}
>>> table = catalog.conform(pd.DataFrame(sizes | {"width": [640], "height": [80]}))
>>> table = drop_poor_images(table, QualitySettings(min_side=64, max_aspect=5))
>>> table["drop_reason"][0], table["drop_detail"][0]
('extreme-aspect', '640 x 80 px: longer side over 5 times the shorter')
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.catalog import Drop, Stage, Table, as_arrow, read_integers
from curator.manifests.settings import QualitySettings


def drop_poor_images(table: Table, settings: QualitySettings) -> Table:
    """Drop the images whose size breaks a setting; if several are broken, the first below is the reason.

    Args:
        table: a catalog; a row of unknown width or height stays.
        settings: ``min_side`` (too-small), ``max_pixels`` (too-many-pixels) and ``max_aspect`` (extreme-aspect).
    """
    width, height = (read_integers(table[name], missing=0) for name in ("width", "height"))
    known = (width > 0) & (height > 0)
    shorter, longer = np.minimum(width, height), np.maximum(width, height)
    most = settings.max_aspect
    rules = (
        (shorter < settings.min_side, Drop.TOO_SMALL, f"shorter side under {settings.min_side} px"),
        (width * height > settings.max_pixels, Drop.TOO_MANY_PIXELS, f"more than {settings.max_pixels} pixels"),
        (longer > most * shorter, Drop.EXTREME_ASPECT, f"longer side over {most:g} times the shorter"),
    )
    sizes = (as_arrow(table[name], pa.int32()).cast(pa.string()) for name in ("width", "height"))
    size = pc.binary_join_element_wise(*sizes, " x ")
    for broken, reason, rule in rules:
        if (broken & known).any():
            detail = pc.binary_join_element_wise(size, f"px: {rule}", " ")
            table = catalog.drop(table, broken & known, Stage.FETCHED, reason, detail)
    return table
