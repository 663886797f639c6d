"""Look at files where they lie, and keep what was seen: no copy of a picture is made, and a killed audit goes on.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "1.jpg").write_bytes(b"<html>")
>>> observe_in_place([str(folder / "1.jpg")], folder / "seen", ignore).select(["flaw", "n_bytes"]).to_pylist()
[{'flaw': 'not-an-image', 'n_bytes': 6}]
>>> [path.suffix for path in (folder / "seen").iterdir()]
['.parquet']
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import compress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curator import catalog
from curator.events import Listener, WorkAdvanced, WorkFinished, WorkStarted
from curator.events import ignore as ignore
from curator.manifests.settings import QualitySettings
from curator.observe.observation import OBSERVER_VERSION, Observation, Sighting, hash_sightings
from curator.observe.traces import N_BYTES, Traces, read_traces
from curator.observe.workers.look import look_at_files
from curator.observe.workers.rendered import opened_regular
from curator.reasons import Drop, Stage
from curator.store.image_store import here
from curator.store.whole_files import whole_file

WORK = "looking at the pictures"
AT_ONCE = 512
"""Files between two writes: what a killed audit loses."""

MAX_PIXELS = QualitySettings().max_pixels
_FACTS = tuple(field.name for field in catalog.FETCHED_FIELDS if field.name in Observation._fields)
SCHEMA = pa.schema(
    [
        pa.field("mark", pa.binary()),  # the file's path, its size and its time
        *(catalog.SCHEMA.field(name) for name in _FACTS),
        pa.field("flaw", pa.string()),
        pa.field("flaw_detail", pa.string()),
        pa.field("camera_model", pa.string()),
        pa.field("jpeg_quality", pa.int16()),
    ]
)
"""A row a file: what was observed of it, and its traces."""

_UNSURE = (Drop.FILE_MISSING, Drop.DECODER_CRASHED)
_KEY = b"curator"
_CONDITIONS = json.dumps({"observer": OBSERVER_VERSION, "max_pixels": MAX_PIXELS, "version": 1}).encode()


def observe_in_place(files: Sequence[str], folder: Path, emit: Listener) -> pa.Table:
    """Observe files, those only that are new or have another size or time than when they were looked at.

    Args:
        files: absolute paths.
        folder: keeps what was seen, of :data:`SCHEMA`; what it holds of other files or by older rules is left out.
        emit: receives the progress.

    Returns:
        A row a file in their order, of :data:`SCHEMA`.

    Raises:
        DiskError: the disk refuses to keep what was seen.
    """
    marks = pa.array(map(_mark, files), pa.binary())
    known = _read(folder)
    known = known.filter(pc.is_in(known["mark"], marks))
    lacking = pc.invert(pc.is_in(marks, known["mark"].combine_chunks())).to_pylist()
    new = sorted(set(compress(zip(marks.to_pylist(), files, strict=True), lacking)))
    parts = [known, *_observe(new, folder, emit)] if new else [known]
    table = pa.concat_tables(parts)
    if len(parts) > 2:
        _write_whole(folder, table)
    return table.take(pc.index_in(marks, table["mark"].combine_chunks()))


def _observe(files: Sequence[tuple[bytes, str]], folder: Path, emit: Listener) -> list[pa.Table]:
    """Look at files, each with its mark, and keep what was seen as the work goes on, and when it is interrupted."""
    parts, seen = list[pa.Table](), list[tuple[int, Sighting | None]]()

    def keep() -> None:
        if seen:
            parts.append(_tabulate([(*files[number], sighting) for number, sighting in seen]))
            _write(folder, parts[-1])
            seen.clear()

    emit(WorkStarted(WORK, len(files)))
    with closing(look_at_files([Path(file) for _, file in files], MAX_PIXELS)) as looked:
        try:
            for one in looked:
                seen.append(one)
                emit(WorkAdvanced(WORK))
                if len(seen) == AT_ONCE:
                    keep()
        finally:
            keep()
    emit(WorkFinished(WORK))
    return parts


def _mark(file: str) -> bytes:
    """Identify a file, as it is now."""
    try:
        facts = os.stat(file)  # noqa: PTH116 (paths are text here: objects would take as long as the call)
    except OSError:
        return os.fsencode(file) + b"\0gone"
    return os.fsencode(file) + f"\0{facts.st_size} {facts.st_mtime_ns}".encode()


def _tabulate(looked: Sequence[tuple[bytes, str, Sighting | None]]) -> pa.Table:
    """Hash what was seen of files, each with its mark and path, and read their traces."""
    observed = iter(hash_sightings([sighting for _, _, sighting in looked if sighting is not None]))
    missing = Observation("", 0, flaw=Drop.FILE_MISSING, flaw_detail="it cannot be read")
    seen = [missing if sighting is None else next(observed) for _, _, sighting in looked]
    with ThreadPoolExecutor() as threads:
        traces = list(threads.map(_traces, [Path(file) for _, file, _ in looked]))
    columns: dict[str, Any] = {name: [getattr(one, name) for one in seen] for name in _FACTS}
    columns |= {"mark": [mark for mark, _, _ in looked], "flaw": [one.flaw and str(one.flaw) for one in seen]}
    columns |= {"flaw_detail": [one.flaw_detail for one in seen]}
    columns |= {name: [getattr(one, name) for one in traces] for name in Traces._fields}
    return pa.table(columns, SCHEMA)


def _traces(file: Path) -> Traces:
    try:
        with opened_regular(here(file)) as opened:
            return read_traces(opened.read(N_BYTES))
    except OSError:
        return Traces()


def _read(folder: Path) -> pa.Table:
    """Read what was seen; a part that is damaged, or was made by other rules, is left out."""
    parts = [SCHEMA.empty_table()]
    for path in sorted(folder.glob("seen-*.parquet")):
        try:
            part = pq.read_table(path)
        except (OSError, pa.ArrowException):
            continue
        if (part.schema.metadata or {}).get(_KEY) == _CONDITIONS:
            parts.append(part.replace_schema_metadata(None))
    return pa.concat_tables(parts)


def _write(folder: Path, part: pa.Table) -> None:
    number = max((int(path.stem.rpartition("-")[2]) for path in folder.glob("seen-*.parquet")), default=0) + 1
    sure = part.filter(pc.invert(pc.is_in(part["flaw"], pa.array(map(str, _UNSURE)))))
    with whole_file(folder / f"seen-{number:05}.parquet") as temporary:
        pq.write_table(sure.replace_schema_metadata({_KEY: _CONDITIONS}), temporary, compression="zstd")


def _write_whole(folder: Path, table: pa.Table) -> None:
    """Put the parts together; killed in between, it leaves a file more than it takes, whose rows are the same."""
    others = sorted(folder.glob("seen-*.parquet"))
    _write(folder, table)
    for path in others:
        path.unlink(missing_ok=True)


def with_observations(table: pd.DataFrame, seen: pa.Table) -> pd.DataFrame:
    """Fill in the observed columns of a catalog; what is no usable picture is dropped, with its reason.

    Args:
        table: a catalog.
        seen: of the same rows, see :func:`observe_in_place`.
    """
    columns = {name: seen[name].combine_chunks() for name in _FACTS}
    flaws = seen["flaw"].combine_chunks()
    columns["drop_reason"], columns["drop_detail"] = flaws, seen["flaw_detail"].combine_chunks()
    columns["drop_stage"] = pc.if_else(pc.is_valid(flaws), str(Stage.FETCHED), pa.scalar(None, pa.string()))
    columns["sha256"] = pc.if_else(pc.equal(columns["sha256"], ""), None, columns["sha256"])
    return catalog.with_columns(table, columns)
