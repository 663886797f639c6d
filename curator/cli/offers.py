"""Print what a fetch would request: the counts, and a line a source with what it would bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curator.cli.command import Answer
from curator.cli.counts import stage_answer
from curator.cli.terminal import Terminal, count

if TYPE_CHECKING:
    from curator.inspect.offers import Offer, Plan

MOST_LABELS, MOST_LICENCES = 4, 3
"""Labels that have a column, and licences that are named, in 80 columns."""


def plan_answer(plan: Plan) -> Answer:
    """Show what a fetch would request, and what each source would bring."""
    counts = stage_answer(plan)

    def facts(terminal: Terminal) -> dict[str, Any]:
        offers = [{**vars(offer), "failure": terminal.spell(offer.failure)} for offer in plan.offers]
        whole = counts.as_json(terminal) if counts.as_json else {}
        return {**whole, "offers": offers, "has_more": plan.has_more}

    def show(terminal: Terminal) -> None:
        _print_offers(terminal, plan)
        counts.show(terminal)

    return Answer(facts, show, counts.is_short)


def _print_offers(terminal: Terminal, plan: Plan) -> None:
    labels = list(plan.offers[0].labels) if plan.offers else []
    labels = labels if len(labels) <= MOST_LABELS else []
    rows = [_row(offer, labels) for offer in plan.offers]
    columns = ["source", "licences as stated", *(labels or ["images"])]
    terminal.table("what each source would bring", columns, rows, n_texts=2)
    if plan.has_more:
        terminal.note("The sources have further lists, which a fetch reads if these do not suffice.")


def _row(offer: Offer, labels: list[str]) -> list[str]:
    counted = [count(offer.labels[label]) for label in labels] or [count(sum(offer.labels.values()))]
    if offer.failure:
        return [offer.source, "could not be listed: the warning says why", *counted]
    named = [f"{name} {n:,}" for name, n in list(offer.licences.items())[:MOST_LICENCES]]
    rest = sum(list(offer.licences.values())[MOST_LICENCES:])
    named += [f"others {rest:,}"] if rest else []
    named += [f"left out {offer.n_left_out:,}"] if offer.n_left_out else []
    return [offer.source, ", ".join(named) or "nothing is listed", *counted]
