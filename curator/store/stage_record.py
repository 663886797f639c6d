"""What a stage's file was made from, as its Parquet metadata hold it.

>>> record = StageRecord("listed", "f1", {}, {})
>>> parse_record(write_record(record), Path("1-listed.parquet")) == record
True
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator import __version__, catalog
from curator.errors import NewerError
from curator.store.plain_json import Faults, parse_json
from curator.text import Text, from_json, to_json


@dataclass(frozen=True)
class StageRecord:
    """What a stage's file was made from; kept in its Parquet metadata.

    ``recipe_section`` is what the recipe said when the stage ran and ``settings`` what was in effect: they differ
    if an option overrode a key. The ``settings`` of the stages before travel along, so that the manifest can state all.
    ``manifest_sha256`` is that of the manifest which the stage wrote.
    """

    stage: str
    fingerprint: str
    recipe_section: dict[str, Any]
    settings: dict[str, Any]
    notes: tuple[Text, ...] = ()
    version: int = catalog.VERSION
    written_by: str = __version__
    manifest_sha256: str = ""


def write_record(record: StageRecord) -> str:
    """Format a record as JSON."""
    form = dataclasses.asdict(record) | {"notes": [to_json(note) for note in record.notes]}
    return json.dumps(form, sort_keys=True)


_TABLES_OF_SETTINGS = ("licence", "fetch", "dedupe", "balance", "split", "reviews", "against")
"""Settings that are read as tables, if a record has them."""


def parse_record(text: str, path: Path) -> StageRecord:
    """Read a record; a ValueError continues a sentence about it, with all its faults.

    Raises:
        NewerError: a newer version wrote the catalog ``path``.
    """
    facts, faults = parse_json(text), Faults()
    if not isinstance(facts, dict):
        raise ValueError("it is no JSON object")
    version, written_by = faults.take(facts, "version", int), faults.take(facts, "written_by", str)
    if version is not None and version > catalog.VERSION:
        message = f"The catalog {path} was written by a newer curator ({written_by}; this is {__version__})."
        raise NewerError(message, "Upgrade with `pip install -U imageset-curator`.")
    texts = {name: faults.take(facts, name, str) for name in ("stage", "fingerprint")}
    tables = {name: faults.take(facts, name, dict) for name in ("recipe_section", "settings")}
    inner = {name: faults.take(tables["settings"], name, dict) for name in _TABLES_OF_SETTINGS}
    faults.take(inner["reviews"], "n", int)
    manifest_sha256 = faults.take(facts, "manifest_sha256", str) or ""
    notes = faults.take(facts, "notes", list)
    faults.found += [f"{name} is missing" for name in (*texts, *tables, "version") if name not in facts]
    try:
        read = tuple(map(from_json, notes))
    except (TypeError, KeyError):
        faults.found.append("notes are no texts")
    if faults.found:
        raise ValueError(faults.sentence())
    return StageRecord(
        **texts, **tables, notes=read, version=version, written_by=written_by or "", manifest_sha256=manifest_sha256
    )
