"""The part of the page that tells how well the models did, and how sure one can be of it.

>>> _p_value(0.0002), _p_value(0.0421)
('< 0.001', '0.042')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curator.benchmark.figures.colours import MODEL_NAMES
from curator.report.facts import Facts
from curator.report.figures import figure
from curator.report.markup import Content, Html, duration, element, join, number, percent, section, table, times

Metrics = Mapping[str, Any]


def results_section(facts: Facts) -> Html | None:
    """Tell accuracy, the comparison, and what the figures are not."""
    metrics = facts.metrics
    if not metrics or not metrics["models"]:
        return None
    return section(
        "results",
        "How well the models did",
        smoke_note(metrics),
        element(
            "div",
            figure(facts, "accuracy", _accuracy_in_words(metrics)),
            element("div", _model_table(metrics), class_="grow wide"),
            class_="side-by-side",
        ),
        element("p", _accuracy_note(metrics), class_="note"),
        _comparison(metrics),
    )


def smoke_note(metrics: Metrics) -> Html | None:
    """Say wherever figures stand that they come from a smoke test, if they do."""
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
                _model_name(model),
                join(element("strong", percent(accuracy["mean"])), element("br"), element("small", interval)),
                percent(figures["classification_report"]["macro avg"]["f1-score"]),
                f"{figures['calibration_error']:.3f}",
                join(number(figures["parameters"]), element("br"), element("small", _trained_share(figures))),
                duration(figures["train_seconds"]),
                number(figures["images_per_second"]),
            ]
        )
    rows += [
        [_model_name(model), element("span", "missing", class_="danger"), *[""] * 5] for model in metrics["missing"]
    ]
    return table(["", "Accuracy", "F1", "ECE", "Parameters", "Training", "Images/s"], rows)


def _trained_share(figures: Metrics) -> str:
    trained = figures["trainable_parameters"]
    return "all trained" if trained == figures["parameters"] else f"{number(trained)} trained"


def _model_name(model: str) -> Html:
    return element("span", MODEL_NAMES[model], class_=f"swatch {model}")


def _accuracy_in_words(metrics: Metrics) -> str:
    parts = [
        f"{MODEL_NAMES[model]} {percent(figures['accuracy']['mean'])}" for model, figures in metrics["models"].items()
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


def _comparison(metrics: Metrics) -> Html | None:
    comparison = metrics["comparison"]
    if not comparison:
        return None
    first, second = (MODEL_NAMES[comparison[key]] for key in ("first", "second"))
    difference = comparison["difference"]
    rows = [
        [f"seed {test['seed']}", number(test["only_first"]), number(test["only_second"]), _p_value(test["p"])]
        for test in comparison["mcnemar"]
    ]
    return join(
        element("h3", f"{second} against {first}"),
        element("p", _verdict(first, second, difference), class_="lead"),
        table(["", f"only {first} right", f"only {second} right", "McNemar's exact p"], rows),
    )


def _verdict(first: str, second: str, difference: Metrics) -> str:
    points = f"{abs(difference['mean']) * 100:.1f} points"
    interval = f"{difference['low'] * 100:+.1f} to {difference['high'] * 100:+.1f}"
    if difference["low"] <= 0 <= difference["high"]:
        return f"No clear winner: they differ by {points}, and the 95% interval ({interval}) holds zero."
    better, worse = (second, first) if difference["mean"] > 0 else (first, second)
    return f"{better} is better than {worse} by {points} (95% interval of the paired bootstrap: {interval})."


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
    name = MODEL_NAMES[model]
    plots = [
        figure(facts, f"curves-{model}", f"{name}: accuracy and loss by epoch, training and validation"),
        figure(facts, f"confusion-{model}", f"{name}: confusion matrix; the figures are in metrics.json"),
        figure(facts, f"calibration-{model}", f"{name}: share correct by confidence"),
    ]
    return element(
        "div",
        element("h3", element("span", name, class_=f"swatch {model}"), None if figures else " (not finished)"),
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
