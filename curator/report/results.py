"""The part of the page on how well the models did, and how sure one can be of it.

>>> _p_value(0.0002), _p_value(0.0421)
('< 0.001', '0.042')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curator.benchmark.metrics_file import list_comparisons
from curator.benchmark.models.registry import model_title
from curator.report.facts import Facts
from curator.report.markup import Content, Html, Section, duration, element, join, number, section, table
from curator.report.plots import plot
from curator.report.style import swatch
from curator.text import percent, plural

Metrics = Mapping[str, Any]


def results_section(facts: Facts) -> Section | None:
    """Show accuracy, the comparison of every two models, and what the figures are not."""
    metrics = facts.metrics
    if not metrics or not metrics["models"]:
        return None
    figures = [one["accuracy"] for one in metrics["models"].values()]
    spans = [f"{percent(one['mean'])} ({percent(one['low'])} to {percent(one['high'])})" for one in figures]
    shares = [f"{model_title(model)} {span}" for model, span in zip(metrics["models"], spans, strict=True)]
    text = f"Test accuracy: {', '.join(shares)}; chance {percent(metrics['chance'])}"
    comparisons = list_comparisons(metrics)
    return section(
        "results",
        "How well the models did",
        element("p", _verdict(metrics, comparisons[0]), class_="lead") if len(comparisons) == 1 else None,
        element("div", plot(facts, "accuracy", text), _model_table(metrics), class_="side-by-side"),
        element("p", _accuracy_note(metrics), class_="note"),
        _comparisons(facts, metrics, comparisons),
        _cross_validation(metrics.get("cross_validation")),
        badge=smoke_badge(metrics),
    )


def _cross_validation(found: Metrics | None) -> Html | None:
    """Show the accuracy of each model over the folds of train, and how every two differ; nothing without folds."""
    if not found:
        return None
    rows: list[list[Content]] = [
        [swatch(model), percent(one["mean"]), f"{percent(one['low'])} to {percent(one['high'])}"]
        for model, one in found["models"].items()
    ]
    differences: list[list[Content]] = [
        [
            f"{model_title(one['second'])} less {model_title(one['first'])}",
            f"{100 * one['mean']:+.1f} points",
            f"{100 * one['low']:+.1f} to {100 * one['high']:+.1f}",
        ]
        for one in found["differences"]
    ]
    note = (
        f"Each of {found['n_folds']} folds of train is held out once, with the first seed; test is not touched. The "
        "interval is 95%, by Student's t with the fold as the unit; as folds share training images, it is rather too "
        "narrow than too wide."
    )
    shown = table(["", "mean", "95% interval"], rows + differences, class_="narrow")
    return join(element("h3", "Cross-validation"), element("p", note, class_="note"), shown)


def smoke_badge(metrics: Metrics) -> str | None:
    """Mark a section whose figures come from a smoke test."""
    return "smoke test" if metrics["smoke_test"] else None


def _model_table(metrics: Metrics) -> Html:
    rows: list[list[Content]] = []
    for model, figures in metrics["models"].items():
        trained, parameters = figures["trainable_parameters"], figures["parameters"]
        share = "all trained" if trained == parameters else f"{number(trained)} trained"
        rows.append(
            [
                swatch(model),
                percent(figures["classification_report"]["macro avg"]["f1-score"]),
                f"{figures['calibration_error']:.3f}",
                join(number(parameters), element("br"), element("small", share)),
                duration(figures["train_seconds"]),
                number(figures["images_per_second"]),
            ]
        )
    rows += [[swatch(model), element("span", "missing", class_="danger"), *[""] * 4] for model in metrics["missing"]]
    return table(["", "F1", "ECE", "Parameters", "Training", "Images/s"], rows)


def _accuracy_note(metrics: Metrics) -> str:
    n_runs = max(len(figures["runs"]) for figures in metrics["models"].values())
    text = (
        f"Mean over {plural(n_runs, 'run')} on {plural(metrics['n_images']['test'], 'test image')}; the interval is "
        "95%, by bootstrap over groups of test images, so that near-duplicates and one author's photos count as one "
        "draw. "
        "F1 is the mean over the labels. ECE is the calibration error: 0 means that the model is right as often as it "
        "claims. Images/s is inference."
    )
    if not metrics["article"]:
        return text
    article = (
        " The dashed lines are the article's own figures (0.83 and 0.91): other photographs, one run, no interval, and "
        "nothing known of near-duplicates or shared authors between its train and test"
    )
    trained = "; it trained 500 epochs at a small learning rate without augmentation"
    return f"{text}{article}{trained if metrics['plan']['preset'] == 'default' else ''}."


def _comparisons(facts: Facts, metrics: Metrics, comparisons: Sequence[Metrics]) -> Html:
    """Show how every two models differ: as a sentence at the section's top, or as a chart if there are several."""
    if len(comparisons) < 2:
        return join(_mcnemar_table(comparison) for comparison in comparisons)
    note = (
        f"With {len(comparisons)} comparisons chance alone makes a difference more often: the intervals are widened "
        f"(Bonferroni), so that all of them hold together with 95% confidence, and p is corrected over the pairs of "
        f"each seed (Holm)."
    )
    in_words = " ".join(_verdict(metrics, comparison) for comparison in comparisons)
    return join(
        element("h3", "Every two models"),
        element("p", note, class_="note"),
        plot(facts, "comparisons", in_words),
        [
            join(element("h4", f"{_title(comparison, 'second')} against {_title(comparison, 'first')}"), shown)
            for comparison in comparisons
            if (shown := _mcnemar_table(comparison))
        ],
    )


def _title(comparison: Metrics, which: str) -> str:
    return model_title(comparison[which])


def _mcnemar_table(comparison: Metrics) -> Html:
    """Count the test images that one model alone was right about, seed by seed."""
    first, second = _title(comparison, "first"), _title(comparison, "second")
    corrected = ["after Holm"] if "p_holm" in comparison["mcnemar"][0] else []
    rows = []
    for test in comparison["mcnemar"]:
        p_values = (_p_value(test[key]) for key in ("p", "p_holm") if key in test)
        rows.append([f"seed {test['seed']}", number(test["only_first"]), number(test["only_second"]), *p_values])
    head = ["", f"only {first} right", f"only {second} right", "McNemar's exact p", *corrected]
    return table(head, rows, class_="narrow")


def _verdict(metrics: Metrics, comparison: Metrics) -> str:
    first, second = _title(comparison, "first"), _title(comparison, "second")
    difference, confidence = comparison["difference"], f"{100 * comparison.get('confidence', 0.95):.3g}%"
    points = f"{abs(difference['mean']) * 100:.1f} points"
    interval = f"{difference['low'] * 100:+.1f} to {difference['high'] * 100:+.1f}"
    if difference["low"] <= 0 <= difference["high"]:
        return f"No clear winner: they differ by {points}, and the {confidence} interval ({interval}) holds zero."
    better, worse = (second, first) if difference["mean"] > 0 else (first, second)
    verb = "did better in this smoke test" if metrics["smoke_test"] else "is better"
    return f"{better} {verb} than {worse} by {points} ({confidence} interval of the paired bootstrap: {interval})."


def _p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
