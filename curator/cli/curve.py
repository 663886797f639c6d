"""How ``curator benchmark --curve`` and ``--ablation`` print what they found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from curator.cli.command import Answer
from curator.text import percent

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset


def curve_answer(dataset: Dataset, found: Mapping[str, Any]) -> Answer:
    """Show the curve of each model, what it means, and where the page is."""

    def show(terminal: Terminal) -> None:
        from curator.benchmark.curve.words import tell_curve
        from curator.benchmark.models.registry import model_title
        from curator.text import from_json, plural

        if found["smoke_test"]:
            terminal.note("smoke test: these accuracies mean nothing", "bold")
        for model, one in found["models"].items():
            n = plural(found["n_images"]["test"], "test image")
            title = f"{model_title(model)}: accuracy on {n}, {plural(len(found['seeds']), 'seed')}"
            terminal.table(title, ["images a label", "accuracy", "95% interval"], list(_curve_rows(one)))
            for sentence in tell_curve(one):
                terminal.note(sentence)
        for why in (*found["missing_text"].values(), *found["replaced_text"].values()):
            terminal.notes([from_json(why)])
        terminal.note(f"report:   {dataset.paths.report}")

    return Answer(lambda terminal: {**found, "report": dataset.paths.report}, show, bool(found["missing_text"]))


def _curve_rows(one: Mapping[str, Any]) -> Iterator[list[str]]:
    from curator.benchmark.ablation_words import points
    from curator.benchmark.curve.words import rough

    last = one["points"][-1]["accuracy"]["mean"]
    for point in one["points"]:
        accuracy = point["accuracy"]
        interval = f"{percent(accuracy['low'])} to {percent(accuracy['high'])}"
        yield [f"{point['images_per_label']:,.0f}", percent(accuracy["mean"]), interval]
    for gain in one["gains"]:
        more = f"{points(gain['low'])} to {points(gain['high'])} points"
        yield [f"{rough(gain['images_per_label'])} (expected)", percent(min(1.0, last + gain["mean"])), more]


def ablation_answer(dataset: Dataset, found: Mapping[str, Any]) -> Answer:
    """Show what each step of curation changed, and what the wrong order of work pretends."""

    def show(terminal: Terminal) -> None:
        from curator.benchmark.ablation_words import HEAD, order_rows, tell_ablation, training_rows
        from curator.text import plural

        title = f"what each training set teaches, on {plural(found['n_test'], 'test image')} without a copy in any"
        terminal.table(title, HEAD, list(training_rows(found)))
        terminal.table(
            "what each order of work says of the same images, cross-validated", HEAD, list(order_rows(found))
        )
        for sentence in tell_ablation(found):
            terminal.note(sentence)
        terminal.note(f"report:   {dataset.paths.report}")

    return Answer(lambda terminal: {**found, "report": dataset.paths.report}, show)
