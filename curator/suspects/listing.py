"""The suspects in the order in which a person should look at them, without those that somebody has decided on.

>>> tuple(HEADINGS)
('wrong label', 'unlike the rest', 'low quality')
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from curator.manifests.project import Project
from curator.manifests.reviews import read_reviews, standing_reviews

HEADINGS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "wrong label": lambda table: table[table["suggested_label"].notna().to_numpy(dtype=bool)].sort_values(
        ["suspicion", "record_id"], ascending=[False, True]
    ),
    "unlike the rest": lambda table: table[table["is_outlier"].to_numpy(dtype=bool)].sort_values(
        ["strangeness", "record_id"], ascending=[False, True]
    ),
    "low quality": lambda table: table[table["low_quality"].map(len).to_numpy() > 0].sort_values("record_id"),
}
"""What an image may be suspected of, and how those are found in the table and put in order."""


def list_suspects(table: pd.DataFrame, project: Project) -> dict[str, pd.DataFrame]:
    """List what is suspected under each heading, the most suspicious first.

    Args:
        table: see :data:`curator.store.suspects_file.SCHEMA`.
        project: an image on which somebody decided under this label, and did not undo it, is not listed.
    """
    reviews = standing_reviews(read_reviews(project.paths.reviews)).values()
    decided = {(review.sha256, review.new_label or review.label) for review in reviews}
    keys = zip(table["sha256"], table["label"], strict=True)
    open_rows = table[[key not in decided for key in keys]]
    return {heading: choose(open_rows) for heading, choose in HEADINGS.items()}
