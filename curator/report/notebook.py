"""A data set as a notebook shows it: its counts, and a few pictures of each label.

>>> "<b>birds</b>" in dataset_html("birds", "split", [("kept", 20)], {})
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

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
