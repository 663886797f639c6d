"""The part of the page on how well the models did, and how sure one can be of it.

>>> _p_value(0.0002), _p_value(0.0421)
('< 0.001', '0.042')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curator.benchmark.metrics_file import list_comparisons
from curator.benchmark.models.registry import model_title
from curator.report.facts import Facts
from curator.report.markup import Content, Html, duration, element, join, number, section, table, times
from curator.report.plots import plot
from curator.report.style import swatch
from curator.text import percent

Metrics = Mapping[str, Any]


def results_section(facts: Facts) -> Html | None:
    """Show accuracy, the comparison of every two models, and what the figures are not."""
    metrics = facts.metrics
    if not metrics or not metrics["models"]:
        return None
    means = [f"{model_title(model)} {percent(one['accuracy']['mean'])}" for model, one in metrics["models"].items()]
    shown = plot(facts, "accuracy", f"Test accuracy: {', '.join(means)}; chance {percent(metrics['chance'])}")
    return section(
        "results",
        "How well the models did",
        smoke_note(metrics),
        element("div", shown, element("div", _model_table(metrics), class_="grow wide"), class_="side-by-side"),
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
        trained, parameters = figures["trainable_parameters"], figures["parameters"]
        share = "all trained" if trained == parameters else f"{number(trained)} trained"
        rows.append(
            [
                swatch(model),
                join(element("strong", percent(accuracy["mean"])), element("br"), element("small", interval)),
                percent(figures["classification_report"]["macro avg"]["f1-score"]),
                f"{figures['calibration_error']:.3f}",
                join(number(parameters), element("br"), element("small", share)),
                duration(figures["train_seconds"]),
                number(figures["images_per_second"]),
            ]
        )
    rows += [[swatch(model), element("span", "missing", class_="danger"), *[""] * 5] for model in metrics["missing"]]
    return table(["", "Accuracy", "F1", "ECE", "Parameters", "Training", "Images/s"], rows)


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
    corrected = ["after Holm"] if "p_holm" in comparison["mcnemar"][0] else []
    rows = []
    for test in comparison["mcnemar"]:
        p_values = (_p_value(test[key]) for key in ("p", "p_holm") if key in test)
        rows.append([f"seed {test['seed']}", number(test["only_first"]), number(test["only_second"]), *p_values])
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
    if metrics["n_images"]["watched_is_test"]:
        note = (
            "The article preset trains on all training images; as in the article the test images are watched while "
            "training, but nothing is chosen by them. Confusion matrices count every run's predictions."
        )
    else:
        note = (
            f"Validation is {times(metrics['n_images']['watched'], 'image')} set aside from train, whole groups at a "
            f"time; early stopping and the choice of weights look at it and never at test. Confusion matrices count "
            f"every run's predictions."
        )
    return section(
        "models",
        "Model by model",
        smoke_note(metrics),
        element("p", note, class_="note"),
        [_model_details(facts, metrics, model) for model in models],
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
    rows = []
    for name in (*labels, "macro avg"):
        shares = (percent(report[name][key]) for key in ("precision", "recall", "f1-score"))
        rows.append([name, *shares, number(report[name]["support"])])
    return table(["", "Precision", "Recall", "F1", "Predictions"], rows)


def groups_section(facts: Facts) -> Html | None:
    """Break test accuracy down by source and by author."""
    metrics = facts.metrics
    if not metrics or not metrics["models"]:
        return None
    parts = [_by_name("source", {model: one["by_source"] for model, one in metrics["models"].items()})]
    authors = {model: one["by_author"] for model, one in metrics["models"].items()}
    first = next(iter(authors.values()))
    if first["n_authors"]:
        parts.append(_by_name("author", {model: one["largest"] for model, one in authors.items()}))
    notes = (
        ("n_authors", "each_author_once", f"Counting each of {times(first['n_authors'], 'author')} once"),
        ("n_unknown", "unknown", f"{times(first['n_unknown'], 'test image')} of unknown author"),
    )
    for count, share, text in notes:
        if first[count]:
            shares = ", ".join(f"{model_title(model)} {percent(one[share])}" for model, one in authors.items())
            parts.append(element("p", f"{text}: {shares}.", class_="note"))
    return section("groups", "Accuracy by source and author", smoke_note(metrics), parts)


def _by_name(what: str, by_model: dict[str, list[dict[str, Any]]]) -> Html | None:
    shares = [{one["name"]: one["accuracy"] for one in found} for found in by_model.values()]
    rows = [
        [one["name"], number(one["n"]), *(percent(share[one["name"]]) for share in shares)]
        for one in next(iter(by_model.values()))
    ]
    return table([what, "test images", *map(model_title, by_model)], rows) if rows else None
