"""Print what a probe predicts: a line a label and source, then what is in reach, and what it will cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curator.cli.command import Answer
from curator.cli.terminal import Terminal, rough_duration, size_text
from curator.inspect.forecast.probe import in_words
from curator.text import plural, was

if TYPE_CHECKING:
    from curator.dataset import Dataset
    from curator.inspect.forecast.prediction import Prediction
    from curator.inspect.forecast.probe import Forecast

_STYLES = {"in reach": "green", "likely": "yellow"}


def forecast_answer(dataset: Dataset, forecast: Forecast) -> Answer:
    """Show a forecast."""
    seed, wanted_of = dataset.recipe.split.seed, forecast.balance.wanted_of
    reach = {label: in_words(one.chance_of(wanted_of(label) or 1)) for label, one in forecast.labels.items()}
    return Answer(
        lambda terminal: {"name": dataset.name, **as_json(forecast, reach, seed)},
        lambda terminal: print_forecast(terminal, dataset.name, forecast, reach, seed),
    )


def print_forecast(terminal: Terminal, name: str, forecast: Forecast, reach: dict[str, str], seed: int) -> None:
    """Print the forecast for the data set ``name``; ``reach`` is how likely each label gets its images, in words."""
    columns = ["label", "source", "listed", "requested", "ok", "yield", "images"]
    rows = []
    for stratum, prediction in forecast.strata:
        counts = (f"{n:,}" for n in (stratum.n_listed, stratum.n_tried, stratum.n_ok))
        rows.append([stratum.label, stratum.source, *counts, _share(prediction), _span(prediction)])
    title = f"{name}, predicted from {plural(forecast.n_tried, 'image')} requested"
    terminal.table(title, columns, rows, n_texts=2)
    for label, prediction in forecast.labels.items():
        n = forecast.balance.wanted_of(label)
        wanted = f"{n:,} are {reach[label]}" if n else f"per_class is {forecast.balance.per_class}"
        text = f"{label}: {wanted}: {_span(prediction)} images expected, before duplicates"
        terminal.note(text, _STYLES.get(reach[label], "red") if n else "")
    effort = forecast.effort
    slowest = f", as long as {effort.slowest} takes" if effort.slowest else ""
    size, time = size_text(effort.n_bytes), rough_duration(effort.seconds)
    terminal.note(f"to come: about {plural(effort.n_requests, 'request')}, {size}, {time}{slowest}")
    terminal.paragraph(" ".join(explain(forecast, seed)))


def _share(prediction: Prediction) -> str:
    low, middle, high = (
        100 * value / max(prediction.n_listed, 1) for value in (prediction.low, prediction.expected, prediction.high)
    )
    return f"{middle:.0f}% ({low:.0f}-{high:.0f})"


def _span(prediction: Prediction) -> str:
    return f"{prediction.expected:,.0f} ({prediction.low:,.0f}-{prediction.high:,.0f})"


def explain(forecast: Forecast, seed: int) -> list[str]:
    """Say how the figures were estimated, a sentence a line."""
    n = forecast.n_requested
    lines = [
        f"how: {plural(n, 'image')} drawn by label and source (seed {seed}) {was(n)} requested, once and for all.",
        "In brackets: 95% intervals (Jeffreys' prior for each label and source, sums of 10,000 draws).",
        "Time: seconds a request so far, over the requests that may be in flight at once.",
    ]
    if forecast.has_more:
        lines.append("There is more to list: the fetch reads further tiers if these do not suffice.")
    return lines


def as_json(forecast: Forecast, reach: dict[str, str], seed: int) -> dict[str, Any]:
    """Return the forecast as one document."""
    return {
        "asked": forecast.n_requested,
        "tried": forecast.n_tried,
        "strata": [
            {
                "label": stratum.label,
                "source": stratum.source,
                "listed": stratum.n_listed,
                "tried": stratum.n_tried,
                "ok": stratum.n_ok,
                "images": _interval(prediction),
            }
            for stratum, prediction in forecast.strata
        ],
        "labels": {
            label: {"images": _interval(prediction), "reach": reach[label]}
            for label, prediction in forecast.labels.items()
        },
        "per_class": forecast.balance.per_class,
        "requests": forecast.effort.n_requests,
        "bytes": round(forecast.effort.n_bytes),
        "seconds": round(forecast.effort.seconds, 1),
        "slowest_host": forecast.effort.slowest,
        "how": explain(forecast, seed),
    }


def _interval(prediction: Prediction) -> dict[str, float]:
    return {name: round(getattr(prediction, name), 1) for name in ("low", "expected", "high")}
