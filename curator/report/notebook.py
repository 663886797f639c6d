"""A data set as a notebook shows it: its counts, and a few pictures of each label; and what else it shows.

>>> "<b>birds</b>" in dataset_html("birds", "split", [("kept", 20)], {})
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from curator import catalog
from curator.manifests.project import Project
from curator.observe.thumbnails import data_uri

if TYPE_CHECKING:
    from curator.inspect.stage_status import Status

_MOST_PICTURES = 6
"""Pictures of a label that a notebook shows."""

_PICTURES = "display:flex;flex-wrap:wrap;gap:4px;margin:2px 0 8px"


def dataset_html(
    name: str, stage: str, counts: Sequence[tuple[str, int]], pictures: Mapping[str, Sequence[str]]
) -> str:
    """Write the fragment; it takes its colours from the notebook.

    Args:
        stage: the latest stage.
        counts: what is counted and how many, in order.
        pictures: label to ``data:`` addresses of small pictures.
    """
    rows = "".join(
        f'<tr><td style="text-align:left">{escape(what)}</td><td style="text-align:right">{n:,}</td></tr>'
        for what, n in counts
    )
    rolls = "".join(
        f'<div>{escape(label)}</div><div style="{_PICTURES}">'
        + "".join(f'<img src="{escape(address)}" style="height:72px;width:auto" alt="">' for address in addresses)
        + "</div>"
        for label, addresses in pictures.items()
    )
    return f"<div><b>{escape(name)}</b>, {escape(stage)}<table>{rows}</table>{rolls}</div>"


def view_html(project: Project, status: Status, table: pd.DataFrame | None) -> str:
    """Write the counts of a data set and a few pictures of each label; without a catalog the counts alone."""
    counts = [("listed", status.counts["listed"])]
    counts += [(f"- {reason}", n) for reason, n in status.counts["dropped"].items()]
    counts += [("kept", status.counts["kept"])]
    counts += [(split, sum(one.values())) for split, one in sorted(status.splits.items(), reverse=True)]
    pictures = {} if table is None else label_pictures(project, table)
    return dataset_html(project.recipe.name, str(status.stage or "nothing fetched yet"), counts, pictures)


def label_pictures(project: Project, table: pd.DataFrame) -> dict[str, list[str]]:
    """Make ``data:`` addresses of the first kept pictures of each label."""
    recipe, paths = project.recipe, project.paths
    kept = catalog.kept(table)
    shown = kept[kept["sha256"].notna().to_numpy(dtype=bool)].groupby("label", sort=False).head(_MOST_PICTURES)
    pictures: dict[str, list[str]] = {label: [] for label in recipe.labels}
    for label, sha256, kind in zip(shown["label"], shown["sha256"], shown["format"], strict=True):
        if address := data_uri(paths.image(sha256, kind), recipe.quality.max_pixels):
            pictures[label].append(address)
    return pictures


def status_html(title: str, parts: Mapping[str, Mapping[str, Any]], remarks: Sequence[str]) -> str:
    """Write a table of ``listed``, ``kept`` and ``dropped``, a row a part, with remarks below it."""
    lines = [("", "listed", "kept", "dropped")]
    for name, part in parts.items():
        lines.append((name, f"{part['listed']:,}", f"{part['kept']:,}", f"{sum(part['dropped'].values()):,}"))
    cells = ["".join(f'<td style="text-align:right">{escape(cell)}</td>' for cell in line) for line in lines]
    rows = "".join(f"<tr>{line}</tr>" for line in cells)
    return f"<div><b>{escape(title)}</b><table>{rows}</table>{'<br>'.join(map(escape, remarks))}</div>"


def text_html(text: str) -> str:
    """Write lines as they are."""
    return f'<pre style="white-space:pre-wrap">{escape(text)}</pre>'
