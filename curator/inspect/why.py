"""One image's whole story: where it came from, what its bytes are, which rule decided, and what else that rule saw.

>>> as_degrees("rotate-90"), as_degrees("mirror")
('turned by 90 degrees', 'mirrored')
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.catalog import Drop
from curator.errors import CuratorError, DiskError, StateError
from curator.fetch.ledger.history import attempts_of
from curator.manifests.project import Project
from curator.manifests.reviews import read_reviews
from curator.matching.picture_matches import FLAT_DETAIL
from curator.pipeline import made_from
from curator.store.catalog_files import file_digest, read_catalog
from curator.text import Command

MOST_RELATIVES = 10
"""Copies named in one story; the rest are counted."""


@dataclass(frozen=True)
class Story:
    """One row's story, as lines for a person and as facts for a program."""

    lines: tuple[str, ...]
    facts: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return the machine-readable form: the catalog's row, its attempts (null: not known) and its copies."""
        return self.facts


def tell_stories(project: Project, image: str) -> list[Story]:
    """Find the rows that ``image`` names (record id, path, URL, or SHA-256 of 8 digits or more) and tell each.

    Raises:
        StateError: nothing was fetched yet.
        CuratorError: no row answers to that name.
    """
    stage = made_from.latest_stage(project)
    if stage is None:
        raise StateError(f"Nothing was fetched yet for {project.recipe.name}.", ("Run ", Command("fetch"), " first."))
    table = read_catalog(project.paths.catalog(stage))
    found = table[find_rows(table, image)]
    if found.empty:
        hint = "Give a record id, a URL, a file's path, or 8 or more digits of its SHA-256, as the manifest has them."
        raise CuratorError(f"No image of {project.recipe.name} is called {image!r}.", hint)
    return [_story(project, table, dict(row)) for _, row in found.head(MOST_RELATIVES).iterrows()]


def find_rows(table: pd.DataFrame, image: str) -> catalog.BoolArray:
    """Tell which rows ``image`` names: bool array, shape (rows,)."""
    named = table["record_id"] == image
    for column in ("url", "fallback_url", "final_url", "landing_url", "local_path", "source_id"):
        named |= (table[column] == image).fillna(False)
    if len(image) >= 8 and set(image.lower()) <= set("0123456789abcdef"):
        named |= table["sha256"].str.startswith(image.lower()).fillna(False)
    path = Path(image)
    if not named.any() and path.is_file():
        named |= table["record_id"] == path.stem
        named |= (table["local_path"] == str(path.absolute())).fillna(False)
        named |= (table["sha256"] == path.stem).fillna(False)
        if not named.any():
            named |= (table["sha256"] == file_digest(path)).fillna(False)
    return named.fillna(False).to_numpy(dtype=bool)


def _story(project: Project, table: pd.DataFrame, values: dict[Any, Any]) -> Story:
    row: dict[str, Any] = {name: None if value is pd.NA or value != value else value for name, value in values.items()}
    addresses = [row[name] for name in ("url", "fallback_url") if row[name]]
    addresses += [f"file:{row['local_path']}"] if row["local_path"] else []
    attempts, asked = _asked(project, addresses)
    company = _find_company(table, row)
    copies = table[(table["duplicate_of"] == row["record_id"]).fillna(False).to_numpy(dtype=bool)]
    lines = [
        f"{row['record_id']}  ({row['label']}, {'dropped' if row['drop_reason'] else 'kept so far'})",
        *_origin(row),
        *asked,
        *_content(project, row),
        *_reviews(project, row),
        *_verdict(table, row),
        *_company(company),
        *_copies(copies),
    ]
    facts = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
    facts.update(attempts=attempts, copies=copies["record_id"].tolist())
    facts.update(company=company["record_id"].tolist())
    return Story(tuple(lines), facts)


def _origin(row: dict[str, Any]) -> list[str]:
    what = " ".join(str(row[name]) for name in ("source_class", "source_id") if row[name])
    label = row["relabelled_from"] or row["label"]
    lines = [f"  listed   by {row['source']}{f' as {what}' if what else ''}, under the label {label}"]
    lines += [f"  address  {row[name]}" for name in ("url", "fallback_url", "local_path") if row[name]]
    lines += [f"  page     {row['landing_url']}"] if row["landing_url"] else []
    credit = ", ".join(str(row[name]) for name in ("title", "author", "license") if row[name])
    return lines + ([f"  credit   {credit}"] if credit else [])


def _asked(project: Project, addresses: list[str]) -> tuple[list[dict[str, Any]] | None, list[str]]:
    """Give the requests made for these addresses and tell them in lines; None where the ledger may not be read."""
    try:
        attempts = attempts_of(project.paths, addresses)
    except DiskError as error:
        return None, [f"  asked    not known: {error.message}"]
    return attempts, _requests(attempts)


def _requests(attempts: list[dict[str, Any]]) -> list[str]:
    lines = []
    for attempt in attempts:
        status = f"HTTP {attempt['http_status']}, " if attempt["http_status"] else ""
        detail = f" ({attempt['detail']})" if attempt["detail"] else ""
        took = f"{attempt['seconds']:.2f} s"
        lines.append(f"  asked    {attempt['started_at']}: {status}{attempt['outcome']}{detail}, {took}")
    return lines


def _content(project: Project, row: dict[str, Any]) -> list[str]:
    if not row["sha256"]:
        return []
    lines = [f"  bytes    {row['n_bytes']:,}, SHA-256 {row['sha256']}"]
    if row["width"]:
        turn = f", EXIF orientation {row['orientation']}" if (row["orientation"] or 1) != 1 else ""
        lines.append(f"  picture  {row['format']}, {row['width']} x {row['height']} pixels, {row['mode']}{turn}")
    if row["phash"] is not None:
        flat = f": under {FLAT_DETAIL:g}, too flat to match by hash alone" if row["detail"] < FLAT_DETAIL else ""
        lines.append(f"  hash     pHash {int(row['phash']):016x}, detail {row['detail']:.1f}{flat}")
    stored = project.paths.image(row["sha256"], row["format"]) if row["format"] else None
    return lines + ([f"  stored   {stored}"] if stored and stored.exists() else [])


def _reviews(project: Project, row: dict[str, Any]) -> list[str]:
    """Tell each decision that people made about this content under this label, the undone ones too."""
    key = row["sha256"], row["relabelled_from"] or row["label"]
    lines = []
    for review in read_reviews(project.paths.reviews):
        if review.key == key:
            what = f"{review.decision} as {review.new_label}" if review.new_label else review.decision
            lines.append(f"  reviewed {what} ({review.describe()})")
    return lines


def _verdict(table: pd.DataFrame, row: dict[str, Any]) -> list[str]:
    if not row["drop_reason"]:
        group = f", together with its group {row['split_group']}" if row["split_group"] else ""
        return [f"  split    {row['split']}{group}"] if row["split"] else []
    detail = f": {row['drop_detail']}" if row["drop_detail"] else ""
    lines = [f"  dropped  at {row['drop_stage']} as {row['drop_reason']}{detail}"]
    if row["duplicate_of"]:
        lines += _other(table, row)
    return lines


def _other(table: pd.DataFrame, row: dict[str, Any]) -> list[str]:
    others = table[(table["record_id"] == row["duplicate_of"]).to_numpy(dtype=bool)]
    lines = []
    for other in others.to_dict("records"):
        fate = "kept" if pd.isna(other["drop_reason"]) else f"dropped as {other['drop_reason']}"
        size = "" if pd.isna(other["width"]) else f", {other['width']} x {other['height']}"
        how = "" if row["distance_bits"] is None else f", {row['distance_bits']} bits apart"
        turned = f", {as_degrees(row['turn'])}" if row["turn"] and row["turn"] != "none" else ""
        lines.append(f"  same as  {other['record_id']} ({other['label']}{size}, {fate}{how}{turned})")
    return lines


def as_degrees(turn: str) -> str:
    """Say a turn in words."""
    mirrored = turn.startswith("mirror")
    degrees = turn.rpartition("-")[2]
    turned = f"turned by {degrees} degrees" if degrees.isdigit() else ""
    return " and ".join(part for part in ("mirrored" if mirrored else "", turned) if part) or "not turned"


def _find_company(table: pd.DataFrame, row: dict[str, Any]) -> pd.DataFrame:
    """Find the other images that were suspected as the same placeholder."""
    if row["drop_reason"] != Drop.PLACEHOLDER_SUSPECTED:
        return table.head(0)
    suspected = table[(table["drop_reason"] == row["drop_reason"]).fillna(False).to_numpy(dtype=bool)]
    names, contents, hashes = (pa.array(suspected[name]).to_pylist() for name in ("record_id", "sha256", "phash"))
    same = [a == row["sha256"] or b == row["phash"] is not None for a, b in zip(contents, hashes, strict=True)]
    alike = [one and name != row["record_id"] for one, name in zip(same, names, strict=True)]
    found: pd.DataFrame = suspected[alike]
    return found


def _company(company: pd.DataFrame) -> list[str]:
    """Name the other images that look like the same placeholder, each with the address that gave it."""
    lines = [
        f"  company  {other['url'] or other['local_path']} ({other['record_id']}, {other['label']})"
        for other in company.head(MOST_RELATIVES).to_dict("records")
    ]
    more = len(company) - MOST_RELATIVES
    return lines + ([f"  company  and {more:,} more"] if more > 0 else [])


def _copies(copies: pd.DataFrame) -> list[str]:
    lines = [
        f"  copy     {copy['record_id']} ({copy['drop_reason']}: {copy['drop_detail']})"
        for copy in copies.head(MOST_RELATIVES).to_dict("records")
    ]
    more = len(copies) - MOST_RELATIVES
    return lines + ([f"  copy     and {more} more"] if more > 0 else [])
