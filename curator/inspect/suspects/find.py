"""Find the suspects of a data set: read, embed, judge, write; what is current already is only read.

>>> find_suspects.__annotations__["return"]
'Suspects'
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from curator import catalog
from curator.catalog import IntArray, Stage
from curator.decide.leak_groups import find_leak_groups, number_kept_copies
from curator.decide.reviews import apply_reviews
from curator.embed.current import describe
from curator.embed.embedder import Embedder
from curator.embed.features import compute_rows, features_of, open_features
from curator.embed.models import open_embedder
from curator.embed.row_file import RowFile
from curator.embed.squares import PixelArray, read_square
from curator.errors import StateError
from curator.events import Listener
from curator.inspect.suspects import look
from curator.inspect.suspects.rows import compose_table
from curator.manifests.project import Project
from curator.manifests.reviews import decided_keys, read_reviews, standing_reviews
from curator.observe.pixels import DECODER_VERSION
from curator.pipeline.judging.last_evidence import read_evidence
from curator.pipeline.made_from import as_deduped
from curator.store.catalog_files import fingerprint, read_catalog
from curator.store.lock import locked
from curator.store.suspects_file import Key, Suspects, read_suspects, suspect_keys, write_suspects
from curator.text import Command

VERSION = 4
"""Raised when a rule changes, so that no older table is taken for a new one."""


def find_suspects(project: Project, force: bool = False) -> Suspects:
    """Judge every image that is kept after dedupe and reviews; nothing is dropped.

    Args:
        project: its recipe's ``[embed]`` and ``[suspects]`` say with what and how.
        force: judge anew even if nothing has changed.

    Raises:
        CuratorError: the extra ``embed`` is not installed, or its model cannot be used.
        StateError: no image is kept, or stored files are gone or damaged.
    """
    paths, settings = project.paths, project.recipe.suspects
    with locked(paths.lock, "suspects"):
        table = read_kept(project)
        groups = _group(project, table)
        embedder = open_embedder(project.recipe.embed, project.recipe.base_dir)
        rows = table[["record_id", "label", "sha256"]].to_numpy().tolist()
        made_with = describe(embedder, project.recipe)
        key = fingerprint(VERSION, look.VERSION, embedder.side, made_with, rows, groups.tolist(), project.recipe.labels)
        before = read_suspects(paths.suspects)
        if before and before.fingerprint == key and not force:
            return before
        features, looks = _embed(project, table, embedder)
        # A linear algebra library's threads wait busily for each other: on small matrices that is most of what they do.
        with threadpool_limits(1):
            found = compose_table(table, features, looks, groups, project.recipe.labels, settings)
        earlier = _earlier(project, before)
        judged = Suspects(found.table, key, embedder.title, found.notes, found.effect, made_with, earlier)
        write_suspects(paths.suspects, judged)
    return read_suspects(paths.suspects) or judged


def read_kept(project: Project) -> pd.DataFrame:
    """Read the images that dedupe keeps, with what people decided since."""
    table = read_catalog(project.paths.catalog(Stage.DEDUPED))
    standing = standing_reviews(read_reviews(project.paths.reviews))
    kept = catalog.kept(apply_reviews(table, standing, project.recipe.labels).table)
    kept = kept[kept["sha256"].notna().to_numpy(dtype=bool)].reset_index(drop=True)
    if kept.empty:
        raise StateError("No image is kept.", (Command("status"), " says what was dropped, and why."))
    return kept


def _earlier(project: Project, before: Suspects | None) -> tuple[Key, ...]:
    """Return the suspects of earlier tables on which somebody has decided."""
    if before is None:
        return ()
    decided = decided_keys(standing_reviews(read_reviews(project.paths.reviews)))
    return tuple(sorted({key for key in (*before.earlier, *suspect_keys(before.table)) if key in decided}))


def _group(project: Project, table: pd.DataFrame) -> IntArray:
    """Number what belongs together as the split sees it: near-duplicates, an author, a page."""
    recipe = as_deduped(project)
    standing = standing_reviews(read_reviews(project.paths.reviews))
    copies = number_kept_copies(table, recipe.dedupe, standing, judged=read_evidence(project.paths))
    leaders = find_leak_groups(table, recipe.groupings, copies)
    return np.asarray(np.unique(leaders, return_inverse=True)[1], dtype=np.int64)


def _embed(project: Project, table: pd.DataFrame, embedder: Embedder) -> tuple[Any, Any]:
    keys = zip(table["sha256"].tolist(), table["format"].tolist(), strict=True)
    files = [project.paths.image(*key) for key in keys]
    max_pixels = project.recipe.quality.max_pixels
    return embed_files(files, table["sha256"].tolist(), project.paths.features, embedder, max_pixels, project.emit)


def embed_files(
    files: Sequence[Path], sha256s: Sequence[str], folder: Path, embedder: Embedder, max_pixels: int, emit: Listener
) -> tuple[Any, Any]:
    """Compute what is not known yet of the pictures, each decoded once: features, and what they look like.

    Args:
        files: one a picture.
        sha256s: of their bytes.
        folder: keeps what was computed.

    Raises:
        StateError: files are gone, are not what they were, or cannot be decoded; all others were kept.
    """
    features = open_features(folder, embedder)
    name = f"looks-version{look.VERSION}-decoder{DECODER_VERSION}.npy"
    looks = RowFile(folder / name, [("look", "<f4", (len(look.FIELDS),))])

    def compute(number: int) -> list[dict[str, Any]]:
        pixels = read_square(files[number], sha256s[number], embedder.side, max_pixels)
        seen: PixelArray = pixels
        if embedder.side != look.SIDE:
            seen = read_square(files[number], sha256s[number], look.SIDE, max_pixels)
        return [{"features": embedder.run_image(pixels)}, {"look": look.measure(seen)}]

    compute_rows([features, looks], sha256s, compute, emit)
    return features_of(features, sha256s), looks.rows["look"][looks.find(sha256s)]
