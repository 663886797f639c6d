"""One image's whole story: where it came from, what its bytes are, which rule decided, and what else that rule saw.

>>> _kept({"split": "train", "fold": None}), _kept({"split": None, "fold": None})
('kept, in train', 'kept so far')
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from curator.catalog import Drop, Stage
from curator.decide.conflicts import find_conflicts, way_out
from curator.embed.current import suspects_news
from curator.errors import DiskError, StateError
from curator.fetch.ledger.history import attempts_of
from curator.inspect.compared import describe_compared, find_compared, find_told_apart
from curator.inspect.find_image import find_image, unknown_image
from curator.inspect.stands_with import describe_group, find_group, groupings_in_effect
from curator.inspect.story import Stories, Story
from curator.inspect.told_apart import explain
from curator.inspect.unfinished import find_unfinished
from curator.manifests.manifest import read_manifest
from curator.manifests.project import Project
from curator.manifests.reviews import read_reviews
from curator.matching.orientations import ORIENTATION_PHRASES, ORIENTATIONS
from curator.matching.perceptual_hash import FLAT_DETAIL
from curator.pipeline import made_from
from curator.sources.reading.places import local_path
from curator.store.catalog_files import read_catalog
from curator.store.image_store import makes_folders, where_is
from curator.store.judged_file import read_judged
from curator.store.root import shown
from curator.store.suspects_file import LISTS, read_suspects
from curator.text import Command, Text, as_parts

MOST_RELATIVES = 10
"""Copies named in one story; the rest are counted."""
MOST_APART = 3
"""Images named that hashes bring near to one, and pixels tell apart from it."""
MOST_TOLD_APART = 100
"""Of those, and of what corners bring near, the nearest that a program is given; the rest are counted."""


def find_stories(project: Project, image: str) -> Stories:
    """Return the story of each row that ``image`` names: see :func:`curator.inspect.find_image.find_image`.

    Raises:
        StateError: nothing was fetched yet.
        CuratorError: no image has that name, or several different ones have it.
    """
    tables = _tables(project)
    if not tables:
        raise StateError(f"Nothing was fetched yet for {project.recipe.name}.", ("Run ", Command("fetch"), " first."))
    for table in tables:
        if (rows := find_image(table, image, project.paths)).any():
            meant = table[rows].head(MOST_RELATIVES)
            files = files_in_folders(project, meant)
            rows_of_name = ({**row, "file": files.get(row["record_id"])} for _, row in meant.iterrows())
            return Stories((_story(project, table, row) for row in rows_of_name), project)
    raise unknown_image(tables, image, project.recipe.name)


def _tables(project: Project) -> list[pd.DataFrame]:
    """Read the latest catalog, and what a fetch that is not finished has listed and settled since."""
    stage, unfinished = made_from.latest_stage(project), find_unfinished(project)
    is_fetched = stage not in (None, Stage.LISTED)
    tables = [read_catalog(project.paths.catalog(stage))] if stage and is_fetched else []
    return tables + ([unfinished.table] if unfinished and unfinished.table is not None else [])


def files_in_folders(project: Project, rows: pd.DataFrame) -> dict[str, str]:
    """Return where each image is in ``train/`` and the like, by its record id."""
    manifest = project.paths.manifest
    if rows["split"].isna().all() or not manifest.exists() or not makes_folders(project.paths.folder):
        return {}
    found = read_manifest(manifest)[["record_id", "file"]]
    found = found[found["record_id"].isin(rows["record_id"])]
    return {record_id: str(project.paths.folder / file) for record_id, file in found.itertuples(index=False)}


def _story(project: Project, table: pd.DataFrame, values: dict[Any, Any]) -> Story:
    row: dict[str, Any] = {name: None if value is pd.NA or value != value else value for name, value in values.items()}
    addresses = [row[name] for name in ("url", "fallback_url") if row[name]]
    addresses += [f"file:{row['local_path']}"] if row["local_path"] else []
    addresses += [row["archive_url"]] if row["archive_url"] else []
    attempts, requests = _requests(project, addresses)
    company = _find_company(table, row)
    copies = table[(table["duplicate_of"] == row["record_id"]).fillna(False).to_numpy(dtype=bool)]
    so_far = "dropped" if row["drop_reason"] else _kept(row) if row["sha256"] else "not settled yet"
    suspect_facts, suspected = _suspected(project, table, row)
    has_group = row["split_group"] and not row["drop_reason"]
    group = find_group(table, row["record_id"], groupings_in_effect(project)) if has_group else table.head(0)
    judged = read_judged(project.paths.judged)
    compared, apart = (find(judged, table, row["sha256"]) for find in (find_compared, find_told_apart))
    n_near = sum(one["bits"] <= project.recipe.dedupe.max_distance for one in apart)
    near = explain(project, row, apart[: min(n_near, MOST_APART)])
    left_out, apart = max(len(apart) - MOST_TOLD_APART, 0), [*near, *apart[len(near) : MOST_TOLD_APART]]
    lines: list[Text] = [
        f"{row['record_id']}  ({row['label']}, {so_far})",
        *_origin(project, row),
        *requests,
        *_content(project, row),
        *_reviews(project, row),
        *suspected,
        *_verdict(table, row),
        *describe_group(group.head(MOST_RELATIVES), files_in_folders(project, group), len(group)),
        *describe_compared(compared, near, n_near),
        *_way_out(table, row),
        *_relatives("company", company, "{url} ({record_id}, {label})"),
        *_relatives("copy", copies, "{record_id} ({name}{drop_reason}: {drop_detail})"),
    ]
    facts = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
    relatives = {"copies": copies["record_id"].tolist(), "company": company["record_id"].tolist()}
    relatives |= {
        "group": group["record_id"].tolist(),
        "compared": compared,
        "told_apart": apart,
        "told_apart_left_out": left_out,
    }
    return Story(tuple(lines), {**facts, "attempts": attempts, **relatives, **suspect_facts}, project.option)


def _kept(row: dict[str, Any]) -> str:
    fold = f", fold {row['fold']}" if row["fold"] else ""
    return f"kept, in {row['split']}{fold}" if row["split"] else "kept so far"


def _suspected(project: Project, table: pd.DataFrame, row: dict[str, Any]) -> tuple[dict[str, Any], list[Text]]:
    """Return what was suspected of this image under this label, and a line for each thing; nothing if nobody looked."""
    if (found := read_suspects(project.paths.suspects)) is None:
        return {}, []
    same = found.table[(found.table["record_id"] == row["record_id"]) & (found.table["label"] == row["label"])]
    if same.empty:
        return {}, []
    judged: dict[str, Any] = {
        str(name): None if value is pd.NA or value is None else value for name, value in same.iloc[0].items()
    }
    facts = {name: list(value) if name in LISTS else value for name, value in judged.items() if name not in row}
    lines: list[Text] = [f"  suspect  {text}" for text in judged["evidence"]]
    nearest = ", ".join(_named(table, judged["neighbours"][:3]))
    lines += [f"  alike    {nearest}"] if lines and nearest else []
    if lines and (news := suspects_news(project)):
        lines.append(("  note     ", *as_parts(news)))
    return facts, lines


def _named(table: pd.DataFrame, record_ids: list[str]) -> list[str]:
    """Add the names of those that are local files."""
    local = table[table["record_id"].isin(record_ids).to_numpy(dtype=bool) & table["local_path"].notna().to_numpy()]
    names = dict(zip(local["record_id"], local["source_id"], strict=True))
    return [f"{one} ({names[one]})" if one in names else one for one in record_ids]


def _origin(project: Project, row: dict[str, Any]) -> list[str]:
    what = " ".join(str(row[name]) for name in ("source_class", "source_id") if row[name])
    label = row["relabelled_from"] or row["label"]
    lines = [f"  listed   by {row['source']}{f' as {what}' if what else ''}, under the label {label}"]
    lines += [f"  address  {row[name]}" for name in ("url", "fallback_url") if row[name]]
    lines += [f"  path     {_find_file(project, row)}"] if row["local_path"] else []
    lines += [f"  made     of {row['made_of']}, as served: {row['made_by']}"] if row["made_of"] else []
    lines += [f"  page     {row['landing_url']}"] if row["landing_url"] else []
    lines += [f"  archive  {row['archive_url']}, captured {row['archived_at']}"] if row["archive_url"] else []
    credit = ", ".join(str(row[name]) for name in ("title", "author", "license") if row[name])
    return lines + ([f"  credit   {credit}"] if credit else [])


def _find_file(project: Project, row: dict[str, Any]) -> str:
    """Say where a local file is: as it was listed, or in its source if the whole project was moved since."""
    listed = Path(row["local_path"])
    places = [one.path for one in project.recipe.sources if one.title == row["source"] and hasattr(one, "path")]
    moved = [local_path(str(place), project.recipe.base_dir) / str(row["source_id"]) for place in places]
    there = next((path for path in (listed, *moved) if path.is_file()), None)
    return str(shown(Path(os.path.normpath(there)))) if there else f"{shown(listed)} (not there now)"


def _requests(project: Project, addresses: list[str]) -> tuple[list[dict[str, Any]] | None, list[str]]:
    """Return the requests made for these addresses, and a line for each; None if the ledger may not be read."""
    try:
        attempts = attempts_of(project.paths, addresses)
    except DiskError as error:
        return None, [f"  request  not known: {error.message}"]
    lines = []
    for attempt in attempts:
        status = f"HTTP {attempt['http_status']}, " if attempt["http_status"] else ""
        detail = f" ({attempt['detail']})" if attempt["detail"] else ""
        took = f"{attempt['seconds']:.2f} s"
        took += f", with the Referer {attempt['referer']}" if attempt["referer"] else ""
        lines.append(f"  request  {attempt['started_at']}: {status}{attempt['outcome']}{detail}, {took}")
    return attempts, lines


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
    where = where_is(stored) if stored else ""
    return lines + ([f"  stored   {where}"] if where else [])


def _reviews(project: Project, row: dict[str, Any]) -> list[str]:
    """Report each decision that people made about this content under this label, the undone ones too."""
    key = row["sha256"], row["relabelled_from"] or row["label"]
    lines = []
    for review in read_reviews(project.paths.reviews):
        if review.key == key:
            what = f"{review.decision} as {review.new_label}" if review.new_label else review.decision
            lines.append(f"  reviewed {what} ({review.in_words()})")
    return lines


def _verdict(table: pd.DataFrame, row: dict[str, Any]) -> list[str]:
    if not row["drop_reason"]:
        file = [f"  file     {row['file']}"] if row["file"] else []
        return [f"  split    {row['split']}", *file] if row["split"] else []
    detail = f": {row['drop_detail']}" if row["drop_detail"] else ""
    lines = [f"  dropped  at {row['drop_stage']} as {row['drop_reason']}{detail}"]
    others = table[(table["record_id"] == (row["duplicate_of"] or "")).to_numpy(dtype=bool)]
    for other in others.to_dict("records"):
        fate = "kept" if pd.isna(other["drop_reason"]) else f"dropped as {other['drop_reason']}"
        size = "" if pd.isna(other["width"]) else f", {other['width']} x {other['height']}"
        how = "" if row["distance_bits"] is None else f", {row['distance_bits']} bits apart"
        phrase = ORIENTATION_PHRASES[ORIENTATIONS.index(row["turn"] or "none")]
        turned = f", {phrase}" if phrase else ""
        name = "" if pd.isna(other["local_path"]) else f"{other['source_id']}, "
        lines.append(f"  same as  {other['record_id']} ({name}{other['label']}{size}, {fate}{how}{turned})")
    return lines


def _way_out(table: pd.DataFrame, row: dict[str, Any]) -> list[Text]:
    """Say how a person keeps a picture that is listed under several labels and kept under none."""
    groups = find_conflicts(table) if row["drop_reason"] == Drop.LABEL_CONFLICT else ()
    mine = (one for one in groups if row["record_id"] in (image["record_id"] for image in one["images"]))
    return [("  note     ", *as_parts(way_out(one["labels"]))) for one in mine]


def _find_company(table: pd.DataFrame, row: dict[str, Any]) -> pd.DataFrame:
    """Find the other images that were suspected as the same placeholder."""
    if row["drop_reason"] != Drop.PLACEHOLDER_SUSPECTED:
        return table.head(0)
    suspected = table[(table["drop_reason"] == row["drop_reason"]).fillna(False).to_numpy(dtype=bool)]
    names, contents, hashes = (pa.array(suspected[name]).to_pylist() for name in ("record_id", "sha256", "phash"))
    same = [a == row["sha256"] or b == row["phash"] is not None for a, b in zip(contents, hashes, strict=True)]
    found: pd.DataFrame = suspected[[one and name != row["record_id"] for one, name in zip(same, names, strict=True)]]
    return found


def _relatives(heading: str, table: pd.DataFrame, form: str) -> list[str]:
    """Name the first rows of a table, each as ``form`` says, and how many more there are."""
    first = table.head(MOST_RELATIVES)
    names = [
        f"{name}, " if is_local else ""
        for name, is_local in zip(first["source_id"], first["local_path"].notna(), strict=True)
    ]
    first = first.assign(url=first["url"].fillna(first["local_path"]), name=names)
    lines = [f"  {heading:<8} {form.format(**dict(row))}" for _, row in first.iterrows()]
    more = len(table) - MOST_RELATIVES
    return lines + ([f"  {heading:<8} and {more:,} more"] if more > 0 else [])
