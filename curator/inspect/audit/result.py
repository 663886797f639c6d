"""What an audit found: figures for a person, values for a program, and which of them a data set may be held to.

>>> list(WORDS)
['leaks', 'groups', 'conflicts', 'copies', 'unreadable', 'confounds', 'suspects']
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from curator import catalog
from curator.errors import StateError
from curator.inspect.audit.confounds import Confound
from curator.inspect.audit.copies import Copies
from curator.inspect.audit.listed import Published
from curator.inspect.audit.shared_groups import SharedGroups
from curator.store.suspects_file import HEADINGS

WORDS: Mapping[str, str] = {
    "leaks": "images with a copy on an earlier side",
    "groups": "groups (of one author, page, patient …) on several sides",
    "conflicts": "images with a copy under another label",
    "copies": "images that a copy on their side and of their label makes superfluous",
    "unreadable": "files that are no usable picture",
    "confounds": "facts about the files that give the label away",
    "suspects": "images whose label is probably wrong",
}
"""What is counted, and what ``--fail-on`` may name."""

MOST_IN_JSON = 10_000
"""Pairs of a kind that are listed; ``n_pairs`` counts all."""


@dataclass(frozen=True, repr=False)
class Audit:
    """What was found in a published set.

    Attributes:
        places: where it is, as a person wrote them.
        published: the set as it was published, its table with what was observed; what is no picture is dropped.
        table: the usable images; the numbers of rows in ``copies`` are theirs.
        copies, groups, confounds: what was found.
        suspects: a row an image, see :data:`curator.store.suspects_file.SCHEMA`; None: not looked for.
        cost: what the leaks are worth, see :func:`curator.inspect.audit.cost.measure_cost`.
        model: the network whose features decided suspects and cost; empty: none.
        notes: for a person.
        page: the HTML page.
        failed: the words of ``fail_on`` of which something was found.
    """

    places: tuple[str, ...]
    published: Published
    table: pd.DataFrame
    copies: Copies
    groups: tuple[SharedGroups, ...]
    confounds: tuple[Confound, ...]
    suspects: pd.DataFrame | None
    cost: Mapping[str, Any]
    model: str
    notes: tuple[str, ...]
    page: Path
    failed: tuple[str, ...] = ()

    def __repr__(self) -> str:
        counts = ", ".join(f"{word} {'not looked for' if n is None else f'{n:,}'}" for word, n in self.counts.items())
        return f"Audit({len(self.published.table):,} images: {counts}; {self.page})"

    @cached_property
    def counts(self) -> dict[str, int | None]:
        """How many of each of :data:`WORDS` were found; None: not looked for, as there are no sides, or no network."""
        sides, telling = bool(self.published.sides), [one for one in self.confounds if one.is_telling]
        return {
            "leaks": int(self.copies.is_leaked.sum()) if sides else None,
            "groups": sum(one.n_groups for one in self.groups) if sides else None,
            "conflicts": int(self.copies.is_conflicting.sum()),
            "copies": self._count_superfluous(),
            "unreadable": len(self.unreadable),
            "confounds": len(telling),
            "suspects": None if self.suspects is None else len(self.wrong_labels),
        }

    def _count_superfluous(self) -> int:
        own = pd.DataFrame(
            {"group": self.copies.groups, "side": self.table["listed_split"], "label": self.table["label"]}
        )
        return int(own.duplicated().sum())

    @property
    def unreadable(self) -> pd.DataFrame:
        """The files that are no usable picture, each with its reason."""
        return catalog.dropped(self.published.table)

    @property
    def wrong_labels(self) -> pd.DataFrame:
        """The images whose label is probably wrong, the most suspicious first."""
        if self.suspects is None:
            raise ValueError("wrong labels were not looked for")
        return HEADINGS["wrong label"](self.suspects)

    def pairs(self, word: str) -> pd.DataFrame:
        """The pairs behind ``leaks`` (on two sides), ``conflicts`` (two labels) or ``copies`` (neither)."""
        pairs = self.copies.pairs
        chosen = {"leaks": pairs["is_across"], "conflicts": pairs["is_conflict"]}
        chosen["copies"] = ~pairs["is_across"] & ~pairs["is_conflict"]
        return pairs[chosen[word]]

    def by_side(self) -> dict[str, dict[str, int]]:
        """Count the images of each label on each side; on none: ``""``."""
        rows = self.published.table
        counted = rows.groupby([rows["label"], rows["listed_split"].fillna("")]).size()
        found: dict[str, dict[str, int]] = {label: {} for label in self.published.labels}
        for label, side, n in counted.reset_index().to_numpy(dtype=object).tolist():
            found[label][side] = n
        return found

    def to_json(self) -> dict[str, Any]:
        """Return all that was found as values that JSON has; of each kind of pair the first ten thousand."""
        copies, counts = self.copies, self.counts
        leaks = {"n_images": counts["leaks"], "by_side": self._leaked_by_side(), **self._pairs("leaks")}
        leaks |= {"n_exact_pairs": copies.n_exact_across, "n_near_pairs": copies.n_near_across}
        return {
            "places": list(self.places),
            "kind": self.published.kind,
            "n_images": len(self.published.table),
            "labels": self.by_side(),
            "sides": list(self.published.sides),
            "counts": counts,
            "failed": list(self.failed),
            "leaks": leaks if self.published.sides else None,
            "cost": dict(self.cost),
            "conflicts": {"n_images": counts["conflicts"], **self._pairs("conflicts")},
            "copies": {
                "n_superfluous": counts["copies"],
                "n_exact_pairs": copies.n_exact,
                "n_near_pairs": copies.n_near,
                "pictures_compared": copies.n_compared is not None,
                **self._pairs("copies"),
            },
            "groups": [dataclasses.asdict(one) for one in self.groups],
            "unreadable": self._list_unreadable(),
            "confounds": [dataclasses.asdict(one) | {"is_telling": one.is_telling} for one in self.confounds],
            "suspects": self._list_suspects(),
            "model": self.model,
            "notes": list(self.notes),
            "page": str(self.page),
        }

    def _leaked_by_side(self) -> dict[str, dict[str, int]]:
        side = self.table["listed_split"]
        return {
            name: {"leaked": int((self.copies.is_leaked & (side == name)).sum()), "images": int((side == name).sum())}
            for name in self.published.sides[1:]
        }

    def _pairs(self, word: str) -> dict[str, Any]:
        pairs = self.pairs(word)
        names, labels, sides = (
            self.table[name].astype(object).where(self.table[name].notna(), None).to_numpy(dtype=object)
            for name in ("record_id", "label", "listed_split")
        )
        listed = [
            {
                "image": names[row["i"]],
                "copy": names[row["j"]],
                "kind": "exact" if row["is_exact"] else "near",
                "distance_bits": row["distance_bits"],
                "turn": row["turn"],
                "sides": [sides[row["i"]], sides[row["j"]]],
                "labels": [labels[row["i"]], labels[row["j"]]],
            }
            for row in pairs.head(MOST_IN_JSON).to_dict("records")
        ]
        return {"n_listed": len(listed), "pairs": listed}

    def _list_unreadable(self) -> list[dict[str, str]]:
        rows = self.unreadable[["record_id", "drop_reason", "drop_detail"]].to_numpy(dtype=object).tolist()
        return [{"image": image, "reason": reason, "detail": detail} for image, reason, detail in rows]

    def _list_suspects(self) -> list[dict[str, Any]] | None:
        if self.suspects is None:
            return None
        columns = ["record_id", "label", "suggested_label", "suspicion"]
        rows = self.wrong_labels[[*columns, "evidence"]].to_numpy(dtype=object).tolist()
        return [
            {"image": image, "label": label, "suggested": suggested, "suspicion": round(float(suspicion), 4),
             "evidence": evidence[0]}
            for image, label, suggested, suspicion, evidence in rows
        ]  # fmt: skip


def find_failed(found: Audit, fail_on: Sequence[str]) -> tuple[str, ...]:
    """Return the words of which something was found.

    Raises:
        StateError: one of them could not be looked for: to find nothing must not look like a success.
    """
    if vain := [word for word in fail_on if found.counts[word] is None]:
        raise StateError(f"--fail-on {vain[0]} could not be looked for.", found.notes[-1] if found.notes else "")
    return tuple(word for word in fail_on if found.counts[word])
