"""The kept images that are most like one image of the set, or like any picture file.

>>> Similar("x.jpg", None, "a network", pd.DataFrame({"record_id": ["x-1"], "likeness": [0.9]}))
Similar('x.jpg', 1 image)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curator.embed.embedder import Embedder, FloatArray
from curator.embed.features import embed_images, features_of, open_features
from curator.embed.likeness import likeness_to
from curator.embed.models import open_embedder
from curator.embed.row_file import RowFile
from curator.embed.squares import read_square
from curator.errors import CuratorError, StateError
from curator.inspect.find_image import find_image, unknown_image
from curator.inspect.suspects.find import read_kept
from curator.inspect.why import files_in_folders
from curator.manifests.project import Project
from curator.pipeline import made_from
from curator.store.catalog_files import file_digest, read_catalog
from curator.store.image_store import bring_here
from curator.store.lock import locked
from curator.store.root import shown
from curator.text import Command, plural

COLUMNS = ("record_id", "label", "likeness", "fate", "path", "source_id", "landing_url", "sha256")


@dataclass(frozen=True)
class Similar:
    """What is most like a picture.

    Attributes:
        image: the name that was asked for.
        record_id: of the image of the set that it is; None: a picture that is not in the set.
        model: the network's title.
        table: a row an image, the most alike first: :data:`COLUMNS`. ``likeness`` is the cosine between features, at
            most 1, which pictures of the same content have; ``path`` is a file.
    """

    image: str
    record_id: str | None
    model: str
    table: pd.DataFrame

    def __repr__(self) -> str:
        return f"Similar({self.image!r}, {plural(len(self.table), 'image')})"

    def _repr_html_(self) -> str:
        return str(self.table.to_html(index=False, max_rows=20))


def find_similar(project: Project, image: str, n: int) -> Similar:
    """Rank the images that dedupe and reviews keep by their likeness to one picture; see :class:`Similar`.

    Args:
        image: what :func:`curator.inspect.find_image.find_image` takes, or any picture file; a file that exists is
            that file. An image of the set is not listed as like itself.
        n: how many to return.

    Raises:
        CuratorError: the extra ``embed`` is not installed; nothing has that name; ``n`` is under 1.
        StateError: no image is kept, or files cannot be read.
    """
    if n < 1:
        raise CuratorError("n is how many images to return: 1 or more.")
    latest = _read_latest(project)
    row, file = _find(project, latest, image)
    kept = read_kept(project)
    embedder = open_embedder(project.recipe.embed, project.recipe.base_dir)
    features = open_features(project.paths.features, embedder)
    _embed_kept(project, kept, features, embedder)
    sha256 = file_digest(file) if row is None else row["sha256"]
    one = _features(features, file, sha256, embedder)
    likeness = likeness_to(one, features, features.find(kept["sha256"].tolist()))
    own = None if row is None else str(row["record_id"])
    likeness[kept["record_id"].to_numpy() == own] = np.nan
    order = np.argsort(-likeness, kind="stable")[: min(n, int(np.isfinite(likeness).sum()))]
    found = kept.iloc[order].assign(likeness=likeness[order])
    return Similar(image, own, embedder.title, _told(project, latest, found))


def _read_latest(project: Project) -> pd.DataFrame:
    stage = made_from.latest_stage(project)
    if stage is None:
        raise StateError(f"Nothing was fetched yet for {project.recipe.name}.", ("Run ", Command("fetch"), " first."))
    return read_catalog(project.paths.catalog(stage))


def _find(project: Project, latest: pd.DataFrame, image: str) -> tuple[pd.Series[Any] | None, Path]:
    """Return the row that is meant, if the picture is one of the set, and the file of the picture."""
    if (file := Path(image).expanduser()).is_file():
        rows = (latest["sha256"] == file_digest(file)).fillna(False).to_numpy(dtype=bool)
        return (_first(latest[rows]) if rows.any() else None), file
    rows = find_image(latest, image, project.paths, "similar")
    if not rows.any():
        raise unknown_image([latest], image, project.recipe.name, "similar")
    row = _first(latest[rows])
    if pd.isna(row["sha256"]) or pd.isna(row["format"]):
        raise CuratorError(f"{row['record_id']} has no picture.", (Command.of("why", row["record_id"]), " says why."))
    return row, project.paths.image(row["sha256"], row["format"])


def _first(rows: pd.DataFrame) -> pd.Series[Any]:
    """Return the one that is kept, if any is."""
    return rows.sort_values("drop_reason", na_position="first", kind="stable").iloc[0]


def _embed_kept(project: Project, kept: pd.DataFrame, features: RowFile, embedder: Embedder) -> None:
    """Compute the features that are lacking."""
    sha256s: Sequence[str] = kept["sha256"].tolist()
    if (features.find(sha256s) >= 0).all():
        return
    files = [project.paths.image(*key) for key in zip(sha256s, kept["format"].tolist(), strict=True)]
    with locked(project.paths.lock, "similar"):
        embed_images(
            features, sha256s, embedder, lambda n: read_square(files[n], sha256s[n], embedder.side), project.emit
        )


def _features(features: RowFile, file: Path, sha256: str, embedder: Embedder) -> FloatArray:
    """Return the features of one picture; those of a stranger are not kept."""
    if features.find([sha256])[0] >= 0:
        return np.asarray(features_of(features, [sha256])[0])
    try:
        pixels = read_square(file, sha256, embedder.side)
    except StateError as error:
        raise CuratorError(f"{error.message}.", "Give a picture that can be decoded.") from error
    return embedder.run_image(pixels)


def _told(project: Project, latest: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Add where each image is and what became of it."""
    rows = latest.set_index("record_id", drop=False).reindex(found["record_id"])
    files = files_in_folders(project, rows)
    stored = zip(found["record_id"], found["sha256"], found["format"], strict=True)
    paths = [files.get(name) or str(project.paths.image(sha256, kind)) for name, sha256, kind in stored]
    bring_here(list(map(Path, paths)))  # a person is going to open them
    fates = [fate_of(reason, split) for reason, split in zip(rows["drop_reason"], rows["split"], strict=True)]
    table = found.assign(path=[str(shown(Path(path))) for path in paths], fate=fates)
    return table[list(COLUMNS)].reset_index(drop=True)


def fate_of(reason: Any, split: Any) -> str:
    """Say what became of an image so far.

    >>> fate_of(None, "train"), fate_of(None, None), fate_of("over-target", None)
    ('kept, in train', 'kept so far', 'dropped as over-target')
    """
    if not pd.isna(reason):
        return f"dropped as {reason}"
    return "kept so far" if pd.isna(split) else f"kept, in {split}"
