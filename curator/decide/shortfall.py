"""A label has too few images: how many are missing, why, and which command may bring more, if one may.

>>> rows = {"label": ["a", "b"], "drop_reason": ["timeout", "gone"], "url": ["http://h.example/1", "http://h.example/2"]}
>>> table = catalog.conform(pa.table(rows))
>>> command_for_more(table, ["a"]), command_for_more(table, ["b"])
(Command(words='fetch --retry failed'), None)
>>> why_empty(table, ["b"])
'1 of 1 listed as b is out as gone: none; link rot.'
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog as catalog
from curator.catalog import as_arrow
from curator.errors import ShortfallError
from curator.reasons import Drop
from curator.text import Command, Text

if TYPE_CHECKING:
    import pandas as pd


def command_for_more(table: pd.DataFrame | pa.Table, labels: Collection[str]) -> Command | None:
    """Return the fetch that may bring more images of these labels; None if none may as the recipe is.

    Args:
        table: a catalog after a fetch.
    """
    reasons = _count_reasons(table, labels)
    if Drop.BEYOND_TARGET in reasons:
        return Command("fetch --all")
    passing = {reason for reason in reasons if Drop(reason).traits.passes != "never"}
    return Command("fetch --retry failed") if passing else None


def _count_reasons(table: pd.DataFrame | pa.Table, labels: Collection[str]) -> dict[str, int]:
    """Count why rows of these labels are out."""
    is_meant = pc.is_in(as_arrow(table["label"], pa.string()), pa.array([*labels], pa.string()))
    return catalog.count_values(as_arrow(table["drop_reason"], pa.string()).filter(is_meant))


def why_empty(table: pd.DataFrame | pa.Table, labels: Collection[str]) -> str:
    """Say why labels without an image have none, and what would help, as far as anything was listed of them."""
    said: dict[Drop, list[tuple[int, str]]] = {}
    for label in labels:
        reasons = _count_reasons(table, [label])
        if reasons:
            most = max(reasons, key=lambda one: reasons[one])
            n = reasons[most]
            said.setdefault(Drop(most), []).append((n, f"{n:,} of {sum(reasons.values()):,} listed as {label}"))
    texts = []
    for reason, listed in said.items():
        verb = "is" if [n for n, _ in listed] == [1] else "are"
        texts.append(f"{' and '.join(text for _, text in listed)} {verb} out as {reason}: {reason.traits.remedy}.")
    return " ".join(texts)


def shortfall(
    table: pd.DataFrame, counts: Mapping[str, int], wanted: Mapping[str, int], most: Command
) -> ShortfallError:
    """Count what is missing, and say what would succeed.

    Args:
        table: the catalog.
        counts, wanted: images of each label that there are, and that it should get.
        most: the command that takes as many of each label as there are.
    """
    width = max(len("label"), *map(len, counts))
    lines = [f"{'label':<{width}}  {'have':>8}  {'want':>8}  {'missing':>8}"]
    missing = {label: max(wanted[label] - have, 0) for label, have in counts.items()}
    rows = ((label, have, wanted[label], missing[label]) for label, have in counts.items())
    lines += [f"{label:<{width}}  {have:>8}  {want:>8}  {short:>8}" for label, have, want, short in rows]
    numbers = sorted(set(wanted.values()))
    what = f"{numbers[0]} a label" if len(numbers) == 1 else "the numbers wanted"
    message = "\n".join([f"Too few images for {what}.", *lines, ""])
    return ShortfallError(message, _way_out(table, counts, [name for name, n in missing.items() if n], most), missing)


def _way_out(table: pd.DataFrame, counts: Mapping[str, int], short: list[str], most: Command) -> Text:
    least, more = min(counts.values()), command_for_more(table, short)
    may: tuple[str | Command, ...] = (more, " may find more.") if more else ()
    if least:
        return (most, f" would take {least} of each label now{'; ' if may else '.'}", *may)
    why = why_empty(table, [label for label, n in counts.items() if not n])
    if not why:
        return ("A label has no image: see ", Command("status"), ", give it another source, and again.")
    return (f"{why} ", *may) if may else why
