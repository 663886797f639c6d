"""What to know before relying on a report: one list below the result, the gravest first, each thing said once.

>>> Caution("Interrupted.", "Some runs are missing.").is_grave
True
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from curator.benchmark.models.registry import model_title
from curator.embed.current import suspects_news
from curator.report.facts import Facts
from curator.report.markup import Html, Section, element, prose, section
from curator.text import Command, Text, as_parts, from_json


class Caution(NamedTuple):
    """One thing to know: what it is in a few words, what follows from it, and where on the page it is shown."""

    title: str
    text: Text
    is_grave: bool = True
    shown_in: str = ""


def cautions_section(facts: Facts) -> Section | None:
    """List all that speaks against the figures of the page, and what is missing from it."""
    found = [*_of_benchmark(facts), *_of_page(facts)]
    if not found:
        return None
    items = [_item(one, facts.project.option) for one in sorted(found, key=lambda one: not one.is_grave)]
    title = "Before you rely on this" if facts.metrics or any(one.is_grave for one in found) else "What is missing here"
    return section("cautions", title, element("ul", items, class_="cautions"))


def _item(caution: Caution, option: str) -> Html:
    more = element("a", "The figures", href=f"#{caution.shown_in}") if caution.shown_in else None
    grave = "grave" if caution.is_grave else None
    text = element("p", prose(caution.text, option), " " if more else None, more)
    return element("li", element("strong", caution.title), text, class_=grave)


def _of_benchmark(facts: Facts) -> Iterator[Caution]:
    metrics: dict[str, Any] = facts.metrics or {}
    if metrics.get("interrupted"):
        resume: Text = (Command("benchmark --resume"), " goes on from here.")
        yield Caution("The benchmark was interrupted", resume)
    if facts.is_stale:
        changed: Text = (
            "The manifest has changed since the benchmark. ",
            Command("benchmark"),
            " measures the images of now.",
        )
        yield Caution("The models' figures belong to other images", changed)
    for model, why in metrics.get("missing_text", metrics.get("missing", {})).items():
        yield Caution(f"{model_title(model)} is missing", as_parts(from_json(why)))
    for model, why in metrics.get("replaced_text", {}).items():
        yield Caution(f"Another model was trained in the place of {model_title(model)}", as_parts(from_json(why)))
    check = facts.confounds or {}
    if check.get("warning"):
        learned = "Facts about the files alone predict it, so a model may have learned where an image came from, not "
        advice = "what it shows. Gather every label from the same sources before trusting any accuracy."
        yield Caution("The label can be told without looking at the picture", learned + advice, shown_in="confounds")
    old = (metrics.get("confounds") or {}).get("warning")
    for warning in metrics.get("warnings", []):
        if warning not in (check.get("warning"), old):
            title, _, rest = warning.partition(": ")
            yield Caution(title, rest) if rest else Caution("About the models", warning)
    if metrics.get("smoke_test"):
        text = "One seed, 96 pixels and a few epochs: the figures show that everything works, not how good a model is."
        yield Caution("This was a smoke test", text, is_grave=False)


def _of_page(facts: Facts) -> Iterator[Caution]:
    if facts.suspects and (news := suspects_news(facts.project)):
        yield Caution("The suspects are of another network or of other settings", news, shown_in="suspects")
    if not facts.metrics:
        add: Text = (Command("benchmark"), " adds accuracy, curves and a comparison.")
        yield Caution("No model was trained yet", add, is_grave=False)
    if not facts.has_plots:
        draw: Text = (
            "They are missing or old: `pip install 'imageset-curator[benchmark]'`, then ",
            Command("report"),
            ".",
        )
        yield Caution("Charts could not be drawn", draw, is_grave=False)
