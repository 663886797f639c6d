"""The previous split: which side each image keeps, and which changes would move images.

>>> import pandas as pd
>>> previous = pd.DataFrame({"sha256": ["b", "a", "c"], "split": ["train", "train", "test"]})
>>> find_left(pd.DataFrame({"sha256": ["c", "d"]}), previous)
{'train': ['a', 'b']}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.errors import CuratorError
from curator.manifests.made_with import decisive_changes, read_made_with
from curator.manifests.manifest import read_manifest
from curator.manifests.settings import SplitSettings
from curator.reasons import Stage
from curator.store.catalog_files import file_digest, find_record, plain
from curator.store.paths import DataPaths
from curator.text import Command

if TYPE_CHECKING:
    import pandas as pd


def held_manifest(paths: DataPaths, split: SplitSettings, resplit: bool = False) -> str:
    """Return the SHA-256 of the manifest whose images keep their side; empty if none do."""
    return file_digest(paths.manifest) if split.stable and not resplit and paths.manifest.exists() else ""


def stated_manifest(paths: DataPaths, held: str) -> str:
    """Return the SHA-256 that a stage states as that of the manifest whose sides it keeps.

    It is that of ``held``; but if a run was killed between the manifest and the catalog, that of the manifest which
    this run kept the sides of: so the next one ends as if nothing had happened.
    """
    record, published = find_record(paths.catalog(Stage.SPLIT)), read_made_with(paths.made_with)
    if not held or published.manifest_sha256 != held or (record and record.manifest_sha256 == held):
        return held
    return str(published.settings.get("earlier", held))


def read_sides(paths: DataPaths) -> pd.DataFrame:
    """Read which side each image has: those of the manifest, and those that left it while its sides were held.

    Returns:
        ``sha256``, ``split``, ``fold`` (0: none) and ``has_left``. An image that comes back comes back to the same
        side, and fold.

    Raises:
        StateError: the manifest cannot be read.
    """
    import pandas as pd

    manifest = read_manifest(paths.manifest)
    fold = manifest["fold"].fillna(0).astype("int64") if "fold" in manifest else 0
    members = manifest[["sha256", "split"]].assign(fold=fold, has_left=False)
    recorded = read_made_with(paths.made_with).left
    placed = [(*place.partition(" ")[::2], sha256) for place, contents in recorded.items() for sha256 in contents]
    gone = [(sha256, split, int(fold or 0), True) for split, fold, sha256 in placed]
    left = pd.DataFrame(gone, columns=["sha256", "split", "fold", "has_left"])
    left = left[~left["sha256"].isin(members["sha256"])]
    return pd.concat([members, left], ignore_index=True) if len(left) else members


def find_left(rows: pd.DataFrame, previous: pd.DataFrame | None) -> dict[str, list[str]]:
    """List the images that had a side and are not in the new manifest: side, and fold if any, to sorted SHA-256s.

    Args:
        rows: of the new manifest.
        previous: what :func:`read_sides` returned before.
    """
    if previous is None:
        return {}
    left = previous[~previous["sha256"].isin(rows["sha256"])]
    folds = left["fold"] if "fold" in left else [0] * len(left)
    places = [f"{split} {fold}" if fold else split for split, fold in zip(left["split"], folds, strict=True)]
    parts = left.assign(place=places).groupby("place")["sha256"]
    return {str(place): sorted(map(str, contents)) for place, contents in parts}


def require_same_split(paths: DataPaths, split: SplitSettings) -> None:
    """Refuse settings other than those that the manifest was split with.

    Raises:
        CuratorError: they differ.
    """
    recorded = read_made_with(paths.made_with).settings.get("split", {}) if paths.manifest.exists() else {}
    if changes := decisive_changes(recorded, plain(split)):
        text = " and ".join(f"{key} from {_word(before)} to {_word(after)}" for key, before, after in changes)
        message = f"This would change {text}: images would move between the sides."
        given = "".join(
            f" --{key} {after}" for key, _, after in changes if key in ("ratio", "val", "seed") and after is not None
        )
        anew = (Command(f"split --resplit{given}"), " makes a new split all the same; ")
        hint = (*anew, f"without `--resplit`, {paths.manifest} keeps its sides.")
        raise CuratorError(message, hint)


def _word(value: object) -> str:
    return "none" if value is None or value == "" else str(value)
