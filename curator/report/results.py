"""The part of the page on how well the models did, and how sure one can be of it.

>>> _p_value(0.0002), _p_value(0.0421)
('< 0.001', '0.042')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from curator.benchmark.metrics_file import list_comparisons
from curator.benchmark.models.registry import model_title
from curator.report.facts import Facts
from curator.report.markup import Content, Html, duration, element, join, number, percent, section, table, times
from curator.report.plots import plot
from curator.report.style import swatch

Metrics = Mapping[str, Any]


def results_section(facts: Facts) -> Html | None:
    """Show accuracy, the comparison of every two models, and what the figures are not."""
    metrics = facts.metrics
    if not metrics or not metrics["models"]:
        return None
    return section(
        "results",
        "How well the models did",
        smoke_note(metrics),
        element(
            "div",
            plot(facts, "accuracy", _accuracy_in_words(metrics)),
            element("div", _model_table(metrics), class_="grow wide"),
            class_="side-by-side",
        ),
        element("p", _accuracy_note(metrics), class_="note"),
        _comparisons(facts, metrics),
    )


def smoke_note(metrics: Metrics) -> Html | None:
    """Say that figures come from a smoke test, if they do."""
    if not metrics["smoke_test"]:
        return None
    text = " One seed, 96 pixels and a few epochs: these figures show that everything works, not how good a model is."
    return element("p", element("strong", "Smoke test."), text, class_="flag")


def _model_table(metrics: Metrics) -> Html:
    rows: list[list[Content]] = []
    for model, figures in metrics["models"].items():
        accuracy = figures["accuracy"]
        interval = f"{percent(accuracy['low'])} to {percent(accuracy['high'])}"
        rows.append(
            [
                swatch(model),
                join(element("strong", percent(accuracy["mean"])), element("br"), element("small", interval)),
                percent(figures["classification_report"]["macro avg"]["f1-score"]),
                f"{figures['calibration_error']:.3f}",
                join(number(figures["parameters"]), element("br"), element("small", _trained_share(figures))),
                duration(figures["train_seconds"]),
                number(figures["images_per_second"]),
            ]
        )
    rows += [[swatch(model), element("span", "missing", class_="danger"), *[""] * 5] for model in metrics["missing"]]
    return table(["", "Accuracy", "F1", "ECE", "Parameters", "Training", "Images/s"], rows)


def _trained_share(figures: Metrics) -> str:
    trained = figures["trainable_parameters"]
    return "all trained" if trained == figures["parameters"] else f"{number(trained)} trained"


def _accuracy_in_words(metrics: Metrics) -> str:
    parts = [
        f"{model_title(model)} {percent(figures['accuracy']['mean'])}" for model, figures in metrics["models"].items()
    ]
    return f"Test accuracy: {', '.join(parts)}; chance {percent(metrics['chance'])}"


def _accuracy_note(metrics: Metrics) -> str:
    n_runs = max(len(figures["runs"]) for figures in metrics["models"].values())
    text = (
        f"Mean over {times(n_runs, 'run')} on {times(metrics['n_images']['test'], 'test image')}; the interval is 95%, "
        f"by bootstrap over groups of test images, so that near-duplicates and one author's photos count as one draw. "
        f"ECE is the calibration error: 0 means that the model is right as often as it claims. Images/s is inference."
    )
    if not metrics["article"]:
        return text
    article = (
        " The dashed lines are the article's own figures (0.83 and 0.91): other photographs, one run, no interval, and "
        "nothing known of near-duplicates or shared authors between its train and test"
    )
    trained = "; it trained 500 epochs at a small learning rate without augmentation"
    return f"{text}{article}{trained if metrics['plan']['preset'] == 'default' else ''}."


def _comparisons(facts: Facts, metrics: Metrics) -> Html:
    comparisons = list_comparisons(metrics)
    if len(comparisons) < 2:
        return join(_comparison(comparison) for comparison in comparisons)
    note = (
        f"With {len(comparisons)} comparisons chance alone makes a difference more often: the intervals are widened "
        f"(Bonferroni), so that all of them hold together with 95% confidence, and p is corrected over the pairs of "
        f"each seed (Holm)."
    )
    in_words = "; ".join(_verdict(comparison) for comparison in comparisons)
    return join(
        element("h3", "Every two models"),
        element("p", note, class_="note"),
        element("div", plot(facts, "comparisons", in_words), class_="side-by-side"),
        [_comparison(comparison) for comparison in comparisons],
    )


def _comparison(comparison: Metrics) -> Html:
    first, second = (model_title(comparison[key]) for key in ("first", "second"))
    tests = comparison["mcnemar"]
    corrected = ["after Holm"] if "p_holm" in tests[0] else []
    rows = [
        [
            f"seed {test['seed']}",
            number(test["only_first"]),
            number(test["only_second"]),
            *(_p_value(test[key]) for key in ("p", "p_holm") if key in test),
        ]
        for test in tests
    ]
    return join(
        element("h3", f"{second} against {first}"),
        element("p", _verdict(comparison), class_="lead"),
        table(["", f"only {first} right", f"only {second} right", "McNemar's exact p", *corrected], rows),
    )


def _verdict(comparison: Metrics) -> str:
    first, second = (model_title(comparison[key]) for key in ("first", "second"))
    difference, confidence = comparison["difference"], f"{100 * comparison.get('confidence', 0.95):.3g}%"
    points = f"{abs(difference['mean']) * 100:.1f} points"
    interval = f"{difference['low'] * 100:+.1f} to {difference['high'] * 100:+.1f}"
    if difference["low"] <= 0 <= difference["high"]:
        return f"No clear winner: they differ by {points}, and the {confidence} interval ({interval}) holds zero."
    better, worse = (second, first) if difference["mean"] > 0 else (first, second)
    return f"{better} is better than {worse} by {points} ({confidence} interval of the paired bootstrap: {interval})."


def _p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def details_section(facts: Facts) -> Html | None:
    """Show confusion, calibration, the reports by label, and the curves, model by model."""
    metrics = facts.metrics
    if not metrics or not (metrics["models"] or metrics["unfinished"]):
        return None
    models = list(dict.fromkeys([*metrics["models"], *(run["model"] for run in metrics["unfinished"])]))
    return section(
        "models",
        "Model by model",
        smoke_note(metrics),
        element("p", _curves_note(metrics), class_="note"),
        [_model_details(facts, metrics, model) for model in models],
    )


def _curves_note(metrics: Metrics) -> str:
    if metrics["n_images"]["watched_is_test"]:
        return (
            "The article preset trains on all training images; as in the article the test images are watched while "
            "training, but nothing is chosen by them. Confusion matrices count every run's predictions."
        )
    n = metrics["n_images"]["watched"]
    return (
        f"Validation is {times(n, 'image')} set aside from train, whole groups at a time; early stopping and the "
        f"choice of weights look at it and never at test. Confusion matrices count every run's predictions."
    )


def _model_details(facts: Facts, metrics: Metrics, model: str) -> Html:
    figures = metrics["models"].get(model)
    name = model_title(model)
    plots = [
        plot(facts, f"curves-{model}", f"{name}: accuracy and loss by epoch, training and validation"),
        plot(facts, f"confusion-{model}", f"{name}: confusion matrix; the figures are in metrics.json"),
        plot(facts, f"calibration-{model}", f"{name}: share correct by confidence"),
    ]
    return element(
        "div",
        element("h3", swatch(model), None if figures else " (not finished)"),
        element("div", plots, class_="plots"),
        _label_table(figures["classification_report"], metrics["labels"]) if figures else None,
        class_="card",
    )


def _label_table(report: Metrics, labels: list[str]) -> Html:
    rows = [
        [
            name,
            *(percent(report[name][key]) for key in ("precision", "recall", "f1-score")),
            number(report[name]["support"]),
        ]
        for name in (*labels, "macro avg")
    ]
    return table(["", "Precision", "Recall", "F1", "Predictions"], rows)


def groups_section(facts: Facts) -> Html | None:
    """Break test accuracy down by source and by author."""
    metrics = facts.metrics
    if not metrics or not metrics["models"]:
        return None
    models = list(metrics["models"])
    parts = [_by_name(metrics, models, "source", {model: metrics["models"][model]["by_source"] for model in models})]
    authors = {model: metrics["models"][model]["by_author"] for model in models}
    first = authors[models[0]]
    if first["n_authors"]:
        parts.append(_by_name(metrics, models, "author", {model: authors[model]["largest"] for model in models}))
        once = ", ".join(f"{model_title(model)} {percent(authors[model]['each_author_once'])}" for model in models)
        parts.append(
            element("p", f"Counting each of {times(first['n_authors'], 'author')} once: {once}.", class_="note")
        )
    if first["n_unknown"]:
        unknown = ", ".join(f"{model_title(model)} {percent(authors[model]['unknown'])}" for model in models)
        text = f"{times(first['n_unknown'], 'test image')} of unknown author: {unknown}."
        parts.append(element("p", text, class_="note"))
    return section("groups", "Accuracy by source and author", smoke_note(metrics), parts)


def _by_name(
    metrics: dict[str, Any], models: list[str], what: str, lists: dict[str, list[dict[str, Any]]]
) -> Html | None:
    frames = [pd.DataFrame(lists[model], columns=["name", "n", "accuracy"]).set_index("name") for model in models]
    rows = [
        [name, number(int(frames[0]["n"][name])), *(percent(frame["accuracy"][name]) for frame in frames)]
        for name in frames[0].index
    ]
    if not rows:
        return None
    return join(table([what, "test images", *(model_title(model) for model in models)], rows))
