"""The sections of an audit's page that show pairs: leaks, contradictory labels, and copies on one side.

>>> describe(True, 0, "none"), describe(False, 6, "mirror"), describe(False, 0, "none")
('the same bytes', '6 bits apart, mirrored', '0 bits apart')
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from curator.inspect.audit.page_parts import Pictures, figure
from curator.inspect.audit.result import Audit
from curator.matching.orientations import ORIENTATION_PHRASES, ORIENTATIONS
from curator.report.markup import Content, Html, Section, element, join, section
from curator.text import percent, plural

N_EXACT, N_NEAR, N_SUSPECTS = 6, 12, 24
"""Pairs of the same bytes, other pairs, and suspects that are shown."""


def describe(is_exact: bool, distance_bits: int, turn: str) -> str:
    """Say how much two images are one."""
    phrase = ORIENTATION_PHRASES[ORIENTATIONS.index(turn)]
    return "the same bytes" if is_exact else f"{plural(distance_bits, 'bit')} apart{', ' if phrase else ''}{phrase}"


def chosen_pairs(found: Audit, word: str) -> list[tuple[str, pd.DataFrame, int]]:
    """Choose pairs to show: some of the same bytes, and of the others the least alike, which need a person's eye."""
    pairs = found.pairs(word)
    exact, near = pairs[pairs["is_exact"]], pairs[~pairs["is_exact"]]
    hardest = near.sort_values(["distance_bits", "j"], ascending=[False, True])
    kinds = [
        ("The same bytes", exact.drop_duplicates("j").head(N_EXACT), len(exact)),
        ("Alike", hardest.drop_duplicates("j").head(N_NEAR), len(near)),
    ]
    return [kind for kind in kinds if kind[2]]


def shown_rows(found: Audit) -> list[int]:
    """Return the numbers of all rows whose pictures the page shows."""
    rows: set[int] = set()
    for word in ("leaks", "conflicts", "copies"):
        for _, pairs, _ in chosen_pairs(found, word):
            rows |= {*pairs["i"].tolist(), *pairs["j"].tolist()}
    return sorted(rows | set(suspect_rows(found)))


def suspect_rows(found: Audit) -> list[int]:
    """Return the numbers of the suspects that are shown, the most suspicious first."""
    return [] if found.suspects is None else found.wrong_labels.head(N_SUSPECTS).index.tolist()


def leaks_section(found: Audit, pictures: Pictures) -> Section | None:
    """Show images that are on two sides."""
    if not found.counts["leaks"]:
        return None
    copies, side = found.copies, found.table["listed_split"]
    said = []
    for name in found.published.sides[1:]:
        on_side = (side == name).fillna(False).to_numpy(dtype=bool)
        n = int((copies.is_leaked & on_side).sum())
        said.append(f"{n:,} of {plural(int(on_side.sum()), f'{name} image')} ({percent(n / on_side.sum())})")
    lead = f"{' and '.join(said)} are on an earlier side, too."
    pairs = f"{plural(copies.n_exact_across, 'pair')} of the same bytes, {plural(copies.n_near_across, 'pair')} alike."
    advice = "Take them out of the earlier side, or out of the test, before you compare models on this set."
    return _section(found, pictures, "leaks", "Leaks: the same picture on two sides", lead, pairs, advice)


def conflicts_section(found: Audit, pictures: Pictures) -> Section | None:
    """Show pictures under two labels."""
    if not (n := found.counts["conflicts"]):
        return None
    lead = f"{plural(n, 'image')} {'has a copy' if n == 1 else 'have a copy each'} under another label."
    advice = "One of the two labels is wrong, or the picture shows both: no model can be right on both copies."
    return _section(found, pictures, "conflicts", "One picture under two labels", lead, advice)


def copies_section(found: Audit, pictures: Pictures) -> Section | None:
    """Show copies on one side and of one label."""
    if not (n := found.counts["copies"]):
        return None
    lead = f"{plural(n, 'image')} could go: another one on the same side, of the same label, shows the same."
    advice = "Copies count double in training and in the test; they leak nothing."
    return _section(found, pictures, "copies", "Copies on one side", lead, advice)


def _section(found: Audit, pictures: Pictures, word: str, title: str, lead: str, *more: str) -> Section:
    shown = (element("p", lead, class_="lead"), element("p", " ".join(more)), _grids(found, pictures, word))
    return section(word, title, *shown)


def _grids(found: Audit, pictures: Pictures, word: str) -> Html:
    made = []
    for title, pairs, n in chosen_pairs(found, word):
        of_all = "" if n == len(pairs) else f" of {n:,}{', the least alike first' if title == 'Alike' else ''}"
        shown = [_pair(found, pictures, row) for row in pairs.to_dict("records")]
        heading = element("h3", title, element("small", f" {plural(len(pairs), 'pair')}{of_all}"))
        made.append(join(heading, element("div", shown, class_="pairs")))
    return join(made)


def _pair(found: Audit, pictures: Pictures, row: Mapping[Hashable, Any]) -> Html:
    how: Content = (describe(row["is_exact"], row["distance_bits"], row["turn"]), element("br"))
    return element("div", figure(found, pictures, row["i"]), figure(found, pictures, row["j"], how), class_="pair")
