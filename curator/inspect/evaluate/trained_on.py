"""Which pictures of another set a model has seen in training: the same file, or the same picture in another.

They are found as an audit finds copies across sides, with the training images as the one side.

>>> rows = {"record_id": ["a", "b"], "label": "x", "sha256": ["1" * 64, "2" * 64]}
>>> rows |= {"source": "x", "kind": "x", "tier": 0}
>>> other, trained = catalog.conform(pd.DataFrame(rows)), pd.DataFrame({"sha256": ["2" * 64], "record_id": ["t-1"]})
>>> seen = find_seen(other, trained, catalog.empty())
>>> seen.is_seen.tolist(), seen.of, seen.is_exact.tolist()
([False, True], [None, 't-1'], [False, True])
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from curator import catalog as catalog
from curator.benchmark.saved_model import TRAINED_ON, SavedModel
from curator.catalog import BoolArray, IntArray
from curator.errors import StateError, why
from curator.events import Listener
from curator.inspect.audit.copies import find_pairs
from curator.inspect.audit.observed import observe_in_place, with_observations
from curator.manifests.project import Project
from curator.reasons import Stage
from curator.store.catalog_files import read_catalog
from curator.store.image_store import size_of
from curator.store.paths import DataPaths
from curator.text import Command

COLUMNS = ["record_id", "label", "sha256", "format"]
_HASHES = ["phash", "phash_turns", "phash256", "thumbnail", "detail"]


@dataclass(frozen=True)
class Seen:
    """Which pictures were seen in training.

    Attributes:
        is_seen: bool (pictures,).
        is_exact: those of the same bytes.
        of: the record id of the training image that each is most like, or None.
        groups: copies of each other have one number, training images count: int64 (pictures,).
        n_compared: as of :class:`curator.inspect.audit.copies.Copies`.
    """

    is_seen: BoolArray
    is_exact: BoolArray
    of: list[str | None]
    groups: IntArray
    n_compared: int | None


def read_trained_on(model: SavedModel) -> pd.DataFrame:
    """Read which images a model saw in training: a row each, :data:`COLUMNS`.

    Raises:
        StateError: the file is gone, or is not as it was written.
    """
    path = model.folder / TRAINED_ON
    again = (Command(f"benchmark --models {model.name}"), " writes it.")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as error:
        message = f"What {model.name} was trained on cannot be read from {path} ({why(error)})."
        raise StateError(message, again) from error
    table = pd.DataFrame(rows[1:], columns=COLUMNS) if rows and rows[0] == COLUMNS and len(rows) > 1 else None
    if table is None or not table["sha256"].str.fullmatch("[0-9a-f]{64}").all():
        raise StateError(f"{path} does not name the images that {model.name} was trained on.", again)
    return table


def read_known(project: Project, trained: pd.DataFrame, folder: Path, emit: Listener) -> pd.DataFrame:
    """Return what is known of the pictures of training images, a row each; of some that are gone nothing may be.

    What is known of a picture is read from the catalog; if it is not there, its stored file is looked at.

    Args:
        trained: see :func:`read_trained_on`.
        folder: keeps what was seen of stored files.
    """
    known = _known(project.paths, trained)
    lacking = trained[~trained["sha256"].isin(known["sha256"]).to_numpy(dtype=bool)].drop_duplicates("sha256")
    if len(lacking):
        stored = zip(lacking["sha256"], lacking["format"], strict=True)
        files = [str(project.paths.image(*key).absolute()) for key in stored if key[1].isalnum()]
        files = [file for file in files if size_of(Path(file)) is not None]
        seen = with_observations(_rows(files), observe_in_place(files, folder, emit))
        known = pd.concat([known, seen[seen["phash_turns"].notna().to_numpy(dtype=bool)]], ignore_index=True)
    return known


def _known(paths: DataPaths, trained: pd.DataFrame) -> pd.DataFrame:
    """Read what the catalogs know of training images; one that cannot be read knows nothing."""
    for stage in (Stage.SPLIT, Stage.FETCHED):
        if paths.catalog(stage).exists():
            try:
                table = read_catalog(paths.catalog(stage))
            except StateError:
                continue
            wanted = table["sha256"].isin(trained["sha256"].tolist()) & table["phash_turns"].notna()
            return table[wanted.fillna(False).to_numpy(dtype=bool)].drop_duplicates("sha256")
    return catalog.empty()


def _rows(files: list[str]) -> pd.DataFrame:
    return catalog.conform(
        pd.DataFrame({"record_id": files, "label": "", "source": "", "kind": "", "tier": 0, "local_path": files})
    )


def _as_side(trained: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return the training images as catalog rows on the side ``train``, with the hashes that are known of each."""
    hashes = known.set_index("sha256")[_HASHES].reindex(trained["sha256"].tolist()).reset_index(drop=True)
    facts = {"record_id": trained["record_id"].tolist(), "sha256": trained["sha256"].tolist(), "listed_split": "train"}
    rows = pd.DataFrame({**facts, "label": "", "source": "", "kind": "", "tier": 0})
    return catalog.conform(rows.assign(**{name: hashes[name].array for name in _HASHES}))


def find_seen(table: pd.DataFrame, trained: pd.DataFrame, known: pd.DataFrame) -> Seen:
    """Find which pictures are among the training images.

    Args:
        table: usable rows of a catalog.
        trained: see :func:`read_trained_on`.
        known: see :func:`read_known`; of other training images only the bytes are compared.
    """
    # Equal bytes have equal hashes, also if those of the training image are no longer known.
    side = _as_side(trained, pd.concat([table, known], ignore_index=True).drop_duplicates("sha256"))
    n = len(side)
    others = catalog.with_columns(table, {"listed_split": ["test"] * len(table)})
    both = pd.concat([side, others], ignore_index=True)
    copies = find_pairs(both)
    is_exact = np.isin(both["sha256"].to_numpy()[n:], side["sha256"].to_numpy())
    across = copies.pairs[copies.pairs["is_across"]].sort_values(["distance_bits", "i"], ascending=False, kind="stable")
    names = side["record_id"].tolist()
    # Of very many copies not every pair is told: then one is as the first training image of its group is.
    first = dict(zip(reversed(copies.groups[:n].tolist()), reversed(names), strict=True))
    groups = copies.groups[n:].tolist()
    of = [first.get(group) if is_seen else None for group, is_seen in zip(groups, copies.is_leaked[n:], strict=True)]
    for i, j in across[["i", "j"]].to_numpy().tolist():
        of[j - n] = names[i]  # the nearest comes last
    return Seen(copies.is_leaked[n:], is_exact, of, copies.groups[n:], copies.n_compared)
