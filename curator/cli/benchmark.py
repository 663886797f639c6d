"""``curator benchmark``: train the models, compare them, write the report."""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curator.cli.command import Answer, dataset_command
from curator.cli.complete import choices, model_names
from curator.cli.curve import ablation_answer, curve_answer
from curator.cli.options import names, whole_numbers
from curator.errors import CuratorError
from curator.text import Command

if TYPE_CHECKING:
    from curator.benchmark.metrics_file import BenchmarkResult
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset


WeightsOption = Annotated[
    Path | None, typer.Option("--weights", metavar="PATH", help="The file of MobileNetV2's weights.")
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="default|article",
        help="Train properly, or as the article did.",
        autocompletion=choices("default", "article"),
    ),
]
ModelsOption = Annotated[
    str | None,
    typer.Option("--models", metavar="A,B", help="Which models; default: the recipe's.", autocompletion=model_names),
]
EpochsOption = Annotated[int | None, typer.Option("--epochs", metavar="N", help="Passes over the training images.")]
ImageSizeOption = Annotated[
    int | None, typer.Option("--image-size", metavar="N", help="Side of what models see, in pixels.")
]
BatchSizeOption = Annotated[int | None, typer.Option("--batch-size", metavar="N", help="Images per training step.")]

CurveOption = Annotated[
    bool, typer.Option("--curve", help="How accuracy grows with the images, and what more would bring.")
]
AblationOption = Annotated[
    bool, typer.Option("--ablation", help="What curation bought: accuracy with copies and suspects and without.")
]


@dataset_command
def benchmark(
    dataset: "Dataset",
    weights: WeightsOption = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A test run of under 3 minutes; its figures mean nothing.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted training.")] = False,
    preset: PresetOption = None,
    models: ModelsOption = None,
    epochs: EpochsOption = None,
    seeds: Annotated[str | None, typer.Option("--seeds", metavar="N,N", help="Train once for each number.")] = None,
    image_size: ImageSizeOption = None,
    batch_size: BatchSizeOption = None,
    curve: CurveOption = False,
    ablation: AblationOption = False,
) -> Answer:
    """Train models on the data set, compare them, write a report.

    Example: curator benchmark --quick
    """
    given: dict[str, Any] = {"models": names(models), "preset": preset, "epochs": epochs}
    given |= {"seeds": whole_numbers(seeds, "--seeds"), "image_size": image_size, "batch_size": batch_size}
    given |= {"weights": weights, "quick": quick, "resume": resume}
    refuse_unused(given, curve, ablation)
    if ablation:
        return ablation_answer(dataset, dataset.ablation())
    if curve:
        given.pop("resume")
        return curve_answer(dataset, dataset.learning_curve(**given))
    with says_how_to_go_on(dataset):
        result = dataset.benchmark(**given)
    return benchmark_answer(dataset, result)


def refuse_unused(given: Mapping[str, Any], curve: bool, ablation: bool) -> None:
    """Refuse options that say nothing to a learning curve or an ablation, rather than pass over them."""
    if not (curve or ablation):
        return
    if curve and ablation:
        one_each = ("Run ", Command("benchmark --curve"), ", then ", Command("benchmark --ablation"), ".")
        raise CuratorError("--curve and --ablation answer two questions.", one_each)
    if ablation and (unused := [f"--{name.replace('_', '-')}" for name, value in given.items() if value]):
        message = f"--ablation compares training sets on features of [embed], and takes no {', '.join(unused)}."
        raise CuratorError(message, (Command("benchmark --ablation"), " is all."))
    if curve and given["resume"]:
        hint = (Command("benchmark --curve"), " goes on where it was by itself.")
        raise CuratorError("--curve takes no --resume: what is trained is always kept.", hint)


@contextmanager
def says_how_to_go_on(dataset: "Dataset") -> Iterator[None]:
    """Let Ctrl-C in a training say what is kept, and the command that goes on from there."""
    from curator.text import Command

    try:
        yield
    except KeyboardInterrupt as interrupt:
        kept = f"Interrupted. Every finished epoch is kept, and {dataset.paths.report} says what is done. "
        go_on = (kept, Command("benchmark --resume"), " with the same settings goes on from there.")
        raise KeyboardInterrupt(go_on) from interrupt


def benchmark_answer(dataset: "Dataset", result: "BenchmarkResult") -> Answer:
    """Show the accuracies, what is missing, and where the report is."""
    page, models = dataset.paths.report, dataset.paths.benchmark_models

    def show(terminal: "Terminal") -> None:
        print_accuracies(terminal, result)
        terminal.notes(result.warnings)
        terminal.note(f"report:   {page}")
        if models.is_dir():
            terminal.note(f"models:   {models}")

    def facts(terminal: "Terminal") -> dict[str, object]:
        told = {"missing": result.missing, "replaced": result.replaced}
        spelled = {kind: {model: terminal.spell(why) for model, why in one.items()} for kind, one in told.items()}
        return {**dataclasses.asdict(result), **spelled, "report": page, "models": models if models.is_dir() else None}

    return Answer(facts, show, bool(result.missing))


def print_accuracies(terminal: "Terminal", result: "BenchmarkResult") -> None:
    """Print a line a model."""
    from curator.text import percent

    title = "smoke test: these accuracies mean nothing" if result.smoke_test else "accuracy on the test images"
    rows = [[model, percent(share)] for model, share in result.accuracy.items()]
    terminal.table(title, ["model", "accuracy"], rows + [[model, "missing"] for model in result.missing])
    if result.cross_validation:
        spans = [
            [model, percent(one["mean"]), f"{percent(one['low'])} to {percent(one['high'])}"]
            for model, one in result.cross_validation.items()
        ]
        n_folds = max(len(one["folds"]) for one in result.cross_validation.values())
        terminal.table(f"cross-validated over {n_folds} folds of train", ["model", "mean", "95% interval"], spans)
