"""The part of the page that looks at each model: its curves, its confusions, its calibration, and for whom it works.

>>> most_confused([[3, 1], [2, 4]], ["a", "b"])
[('b', 'a', 2), ('a', 'b', 1)]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from curator.benchmark.models.registry import model_title
from curator.report.facts import Facts
from curator.report.markup import Content, Html, Section, element, join, label_name, number, section, table
from curator.report.plots import plot
from curator.report.results import Metrics, smoke_badge
from curator.report.style import model_style, swatch
from curator.text import percent, plural

MOST_IN_MATRIX = 25
"""Labels up to which a confusion matrix can be read; of more, the most frequent confusions are listed."""
_LONGEST_HEAD, _MOST_HEADS = 14, 6
"""Above these, the columns of a matrix are numbered and the rows say what the numbers are."""


def details_section(facts: Facts) -> Section | None:
    """Show the curves, the calibration and the confusion matrix of each model."""
    metrics = facts.metrics
    if not metrics or not (metrics["models"] or metrics["unfinished"]):
        return None
    models = list(dict.fromkeys([*metrics["models"], *(run["model"] for run in metrics["unfinished"])]))
    if metrics["n_images"]["watched_is_test"]:
        note = (
            "The article preset trains on all training images; as in the article the test images are watched while "
            "training, but nothing is chosen by them."
        )
    else:
        images = plural(metrics["n_images"]["watched"], "image")
        of_val = metrics["n_images"].get("watched_is_val")
        part = f"the val set ({images})" if of_val else f"{images} set aside from train, whole groups at a time"
        note = f"Validation is {part}; early stopping and the choice of weights look at it and never at test."
    return section(
        "models",
        "Model by model",
        element("p", f"{note} Confusion matrices count every run's predictions.", class_="note"),
        [_model_details(facts, metrics, model) for model in models],
        badge=smoke_badge(metrics),
    )


def _model_details(facts: Facts, metrics: Metrics, model: str) -> Html:
    figures = metrics["models"].get(model)
    name = model_title(model)
    plots = [
        plot(facts, f"curves-{model}", f"{name}: accuracy and loss by epoch, training and validation"),
        plot(facts, f"calibration-{model}", f"{name}: share correct by confidence"),
    ]
    return element(
        "div",
        element("h3", swatch(model), None if figures else " (not finished)"),
        element("div", plots, _confusion(figures, metrics["labels"]) if figures else None, class_="model"),
        class_="card",
        style=model_style(model),
    )


def _confusion(figures: Metrics, labels: Sequence[str]) -> Html:
    matrix, report = figures["confusion_matrix"], figures["classification_report"]
    if len(labels) <= MOST_IN_MATRIX:
        return _matrix(matrix, report, labels)
    rows = [[label_name(true), label_name(said), number(n)] for true, said, n in most_confused(matrix, labels)]
    listed = table(["true label", "taken for", "predictions"], rows)
    each = table(["", "Recall", "Precision", "F1"], [[label_name(one), *_shares(report, one)] for one in labels])
    summary = element("summary", f"Recall, precision and F1 of all {len(labels)} labels")
    return element("div", listed, element("details", summary, each), class_="matrix")


def _matrix(matrix: Sequence[Sequence[int]], report: Metrics, labels: Sequence[str]) -> Html:
    """Write the confusion matrix as a table, so that labels of any length and script have room."""
    is_numbered = len(labels) > _MOST_HEADS or max(map(len, labels)) > _LONGEST_HEAD
    numbers = [f"{place}" for place in range(1, len(labels) + 1)]
    heads: list[Content] = [*numbers] if is_numbered else list(map(label_name, labels))
    head = [element("th", one, scope="col", class_="cell") for one in heads]
    measures = [element("th", name, scope="col") for name in ("Recall", "Precision", "F1")]
    rows = []
    for place, (label, counts) in enumerate(zip(labels, matrix, strict=True)):
        name = (
            join(element("span", numbers[place], class_="place"), label_name(label))
            if is_numbered
            else label_name(label)
        )
        cells = [_cell(n, sum(counts), column == place) for column, n in enumerate(counts)]
        shares = [element("td", share) for share in _shares(report, label)]
        rows.append(element("tr", element("th", name, scope="row"), cells, shares))
    made = element(
        "table",
        element("caption", "Rows: the true label. Columns: what the model said, in predictions."),
        element("thead", element("tr", element("td"), head, measures)),
        element("tbody", rows),
        class_="confusion",
    )
    return element("div", made, class_="scroll matrix" if is_numbered else "scroll matrix small")


def _cell(n: int, total: int, is_right: bool) -> Html:
    share = n / total if total else 0.0
    kind = "cell right" if is_right else "cell" if n else "cell none"
    return element("td", number(n), class_=kind, style=f"--share: {100 * share:.0f}%" if n else None)


def _shares(report: Metrics, label: str) -> list[str]:
    return [percent(report[label][key]) for key in ("recall", "precision", "f1-score")]


def most_confused(matrix: Sequence[Sequence[int]], labels: Sequence[str], most: int = 15) -> list[tuple[str, str, int]]:
    """List the most frequent confusions: the true label, what it was taken for, and how often."""
    wrong = [
        (label, labels[column], n)
        for row, label in enumerate(labels)
        for column, n in enumerate(matrix[row])
        if n and row != column
    ]
    return sorted(wrong, key=lambda one: -one[2])[:most]


def groups_section(facts: Facts) -> Section | None:
    """Break test accuracy down by source and by author, if there are several of them."""
    metrics = facts.metrics
    if not metrics or not metrics["models"]:
        return None
    by_source = {model: one["by_source"] for model, one in metrics["models"].items()}
    authors = {model: one["by_author"] for model, one in metrics["models"].items()}
    first = next(iter(authors.values()))
    parts = [_by_name("source", by_source) if len(next(iter(by_source.values()))) > 1 else None]
    if first["n_authors"]:
        parts.append(_by_name("author", {model: one["largest"] for model, one in authors.items()}))
        for count, share, text in (
            ("n_authors", "each_author_once", f"Counting each of {plural(first['n_authors'], 'author')} once"),
            ("n_unknown", "unknown", f"{plural(first['n_unknown'], 'test image')} of unknown author"),
        ):
            if first[count]:
                shares = ", ".join(f"{model_title(model)} {percent(one[share])}" for model, one in authors.items())
                parts.append(element("p", f"{text}: {shares}.", class_="note"))
    if not any(parts):
        return None
    return section("groups", "Accuracy by source and author", parts, badge=smoke_badge(metrics))


def _by_name(what: str, by_model: dict[str, list[dict[str, Any]]]) -> Html | None:
    shares = [{one["name"]: one["accuracy"] for one in found} for found in by_model.values()]
    rows: list[list[Content]] = [
        [element("bdi", one["name"]), number(one["n"]), *(percent(share[one["name"]]) for share in shares)]
        for one in next(iter(by_model.values()))
    ]
    return table([what, "test images", *map(model_title, by_model)], rows) if rows else None
