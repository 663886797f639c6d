"""The table of suspects: one row a judged image, with its evidence, in a Parquet file beside the catalogs.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "suspects.parquet"
>>> read_suspects(path) is None
True
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from curator import catalog
from curator.store.whole_files import whole_file

if TYPE_CHECKING:
    import pandas as pd

VERSION = 2
"""Raised when a column changes its meaning; a file of another version is made anew."""

_KEY = b"curator suspects"
SCHEMA = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),  # the label that was judged
        pa.field("suspicion", pa.float32()),  # 0 to 1: that of another label against its own; null: not judged
        pa.field("suggested_label", pa.string()),  # if its own is probably wrong
        pa.field("likeliest_other", pa.string()),
        pa.field("own_probability", pa.float32()),
        pa.field("other_probability", pa.float32()),
        pa.field("strangeness", pa.float32()),  # 0 to 2: one minus the mean cosine to its neighbours
        pa.field("is_outlier", pa.bool_(), nullable=False),
        pa.field("low_quality", pa.list_(pa.string()), nullable=False),  # see curator.inspect.suspects.low_quality
        pa.field("evidence", pa.list_(pa.string()), nullable=False),  # a sentence for each thing suspected
        pa.field("neighbours", pa.list_(pa.string()), nullable=False),  # record ids, the most alike first
    ]
)


LISTS = ("low_quality", "evidence", "neighbours")
"""The columns that hold lists."""


Key = tuple[str, str]
"""The SHA-256 of an image's bytes, and the label under which it was judged."""


@dataclass(frozen=True)
class Suspects:
    """What was found.

    Attributes:
        table: a row an image: see :data:`SCHEMA`.
        fingerprint: of all that it was made from.
        model: the network's title.
        notes: for a person.
        effect: see :func:`curator.inspect.suspects.effect.measure_effect`.
        made_with: the network and the settings: see :func:`curator.embed.current.find_change`.
        earlier: the suspects of earlier tables that somebody has decided on, so that they may be missing here.
    """

    table: pd.DataFrame
    fingerprint: str
    model: str
    notes: tuple[str, ...] = ()
    effect: dict[str, Any] = field(default_factory=dict)
    made_with: dict[str, Any] = field(default_factory=dict)
    earlier: tuple[Key, ...] = ()


def write_suspects(path: Path, found: Suspects) -> None:
    """Write the table, whole or not at all."""
    names = ("fingerprint", "model", "notes", "effect", "made_with", "earlier")
    facts = {"version": VERSION} | {name: getattr(found, name) for name in names}
    metadata = {_KEY: json.dumps(facts).encode()}
    table = pa.Table.from_pandas(found.table, schema=SCHEMA, preserve_index=False).replace_schema_metadata(metadata)
    with whole_file(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_suspects(path: Path) -> Suspects | None:
    """Read the table; None if there is none, or none that can be read: ``curator suspects`` makes it anew."""
    try:
        table = pq.read_table(path)
        if (facts := _read_facts(table.schema)) is None:
            return None
    except (OSError, pa.ArrowException):
        return None
    frame = catalog.from_arrow(table.replace_schema_metadata(None))
    notes, earlier = tuple(facts["notes"]), tuple((sha256, label) for sha256, label in facts["earlier"])
    return Suspects(frame, facts["fingerprint"], facts["model"], notes, facts["effect"], facts["made_with"], earlier)


def read_made_with(path: Path) -> dict[str, Any] | None:
    """Read what the table was made with, and nothing else; None if there is none."""
    try:
        facts = _read_facts(pq.read_schema(path))
    except (OSError, pa.ArrowException):
        return None
    return None if facts is None else facts["made_with"]


def _read_facts(schema: pa.Schema) -> dict[str, Any] | None:
    try:
        facts: dict[str, Any] = json.loads((schema.metadata or {})[_KEY])
        return facts if facts["version"] == VERSION and schema.names == SCHEMA.names else None
    except (KeyError, ValueError):
        return None


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


def list_suspects(table: pd.DataFrame, decided: Collection[Key] = ()) -> dict[str, pd.DataFrame]:
    """List what is suspected under each heading, the most suspicious first, without what was decided.

    Args:
        table: see :data:`SCHEMA`.
        decided: see :func:`curator.manifests.reviews.decided_keys`.
    """
    open_rows = table[[key not in decided for key in zip(table["sha256"], table["label"], strict=True)]]
    return {heading: choose(open_rows) for heading, choose in HEADINGS.items()}


def suspect_keys(table: pd.DataFrame) -> list[Key]:
    """Return the images that are suspected of anything."""
    import pandas as pd

    listed = pd.concat(list_suspects(table).values()).drop_duplicates("record_id")
    return list(zip(listed["sha256"], listed["label"], strict=True))


def count_decided(found: Suspects, decided: Collection[Key]) -> tuple[int, int]:
    """Count the suspects that a person has decided on, those that have left the table since too, and all suspects."""
    done = {sha256 for sha256, label in (*found.earlier, *suspect_keys(found.table)) if (sha256, label) in decided}
    return len(done), len(done | {sha256 for sha256, _ in suspect_keys(found.table)})


def forget_suspects(path: Path, contents: Collection[str]) -> None:
    """Take contents (SHA-256s) out of the table, and their names out of the other rows' neighbours."""
    if (found := read_suspects(path)) is None:
        path.unlink(missing_ok=True)
        return
    gone = found.table["sha256"].isin(list(contents)).to_numpy(dtype=bool)
    earlier = tuple(key for key in found.earlier if key[0] not in contents)
    if gone.any() or earlier != found.earlier:
        names = set(found.table["record_id"][gone])
        kept = found.table[~gone].copy()
        kept["neighbours"] = [[one for one in nearest if one not in names] for nearest in kept["neighbours"]]
        # Without a fingerprint: the images are others now.
        write_suspects(path, replace(found, table=kept, fingerprint="", earlier=earlier))


COLUMNS = ("suspicion", "suggested_label", "is_outlier", "low_quality")
"""What is joined to a catalog."""


def with_suspects(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return a catalog with :data:`COLUMNS` joined, if images were judged; a row that was judged otherwise has none."""
    if (found := read_suspects(path)) is None:
        return table
    keys = ["record_id", "label", "sha256"]
    return table.merge(found.table[[*keys, *COLUMNS]], how="left", on=keys)
