"""Read what was seen of pairs of pictures before the last dedupe.

>>> read_evidence(DataPaths(Path("nowhere"), Path("nowhere"), "balls")) is None
True
"""

from __future__ import annotations

from pathlib import Path as Path

from curator.decide.judged import Judged
from curator.pipeline.judging.seen import made_by
from curator.store.judged_file import read_judged
from curator.store.paths import DataPaths


def read_evidence(paths: DataPaths, verdict: int | None = None) -> Judged | None:
    """Read what was seen, of pairs of one verdict or of all; None if nothing was."""
    table = read_judged(paths.judged, made_by(), verdict)
    return None if table is None else Judged.from_table(table)
