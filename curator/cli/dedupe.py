"""``curator dedupe``: drop duplicates, explain the groups, show them on a page, measure how well it works."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curator.cli.command import Answer, dataset_command
from curator.cli.complete import choices
from curator.cli.options import EngineOption, ForceOption

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset
    from curator.inspect.calibrate.calibrate import Calibration
    from curator.inspect.stage_result import StageResult
    from curator.text import Text

AcrossLabelsOption = Annotated[
    str | None,
    typer.Option(
        "--across-labels",
        metavar="drop-both|keep-first|ignore",
        help="What to do with one picture under two labels.",
        autocompletion=choices("drop-both", "keep-first", "ignore"),
    ),
]
FalseRateOption = Annotated[
    float, typer.Option("--false-rate", min=0, metavar="R", help="Share of false matches that --calibrate aims at.")
]
ModeOption = Annotated[
    str | None,
    typer.Option(
        "--mode",
        metavar="near|exact|off",
        help="What is a copy: the same picture, the same bytes, or nothing.",
        autocompletion=choices("near", "exact", "off"),
    ),
]
MaxDistanceOption = Annotated[
    int | None,
    typer.Option("--max-distance", metavar="N", help="Compare pictures closely if at most N bits of 64 differ."),
]
KeepOption = Annotated[
    str | None,
    typer.Option(
        "--keep",
        metavar="largest|first",
        help="Which copy stays: the largest, or the first source's.",
        autocompletion=choices("largest", "first"),
    ),
]
AgainstOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--against", metavar="PATH", help="Drop what another manifest or folder of images has; may be repeated."
    ),
]
RotationsOption = Annotated[
    bool | None, typer.Option("--rotations/--no-rotations", help="Find rotated and mirrored copies too, or not.")
]


@dataset_command
def dedupe(
    dataset: "Dataset",
    mode: ModeOption = None,
    max_distance: MaxDistanceOption = None,
    rotations: RotationsOption = None,
    across_labels: AcrossLabelsOption = None,
    keep: KeepOption = None,
    against: AgainstOption = None,
    report_only: Annotated[bool, typer.Option("--report-only", help="With --against: report, drop nothing.")] = False,
    gallery: Annotated[bool, typer.Option("--gallery", help="Write a page that shows all copies.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="List the copies, largest groups first.")] = False,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Only measure how well it works here.")] = False,
    false_rate: FalseRateOption = 1e-6,
    force: ForceOption = False,
    engine: EngineOption = None,
) -> Answer:
    """Drop copies: of a file, and of a picture, rotated ones too.

    Example: curator dedupe --gallery
    """
    if calibrate:
        return calibration_answer(dataset, false_rate)
    result = dataset.dedupe(
        mode=mode,
        max_distance=max_distance,
        rotations=rotations,
        across_labels=across_labels,
        keep=keep,
        against=against,
        report_only=report_only or None,
        force=force,
        engine=engine,
    )
    return dedupe_answer(dataset, result, explain, dataset.gallery() if gallery else None)


def dedupe_answer(dataset: "Dataset", result: "StageResult", explain: bool, page: Path | None) -> Answer:
    """Show the counts, or the groups; and where the page of groups is."""
    from curator.cli.counts import stage_answer
    from curator.decide.conflicts import find_conflicts, way_out_of_all
    from curator.text import plural

    lines = [f"gallery:  {page}"] if page else []
    if not explain:
        return stage_answer(result, *lines)
    groups, conflicts = dataset.duplicate_groups(), find_conflicts(result.table)

    def show(terminal: "Terminal") -> None:
        for lines_of, found in ((group_lines, groups), (conflict_lines, conflicts)):
            for group in found:
                terminal.text("\n".join(lines_of(group)) + "\n")
        n_copies = sum(len(group["copies"]) for group in groups)
        terminal.note(f"{plural(len(groups), 'group')}, {plural(n_copies, 'duplicate')} dropped")
        if conflicts:
            terminal.note(way_out_of_all(len(conflicts)))
        for line in lines:
            terminal.note(line)

    nobody = {"keeper": None, "file": None, "label": None, "width": None, "height": None}
    as_groups = [{**nobody, "labels": one["labels"], "copies": one["images"]} for one in conflicts]
    return Answer(lambda terminal: [*groups, *as_groups], show, bool(result.missing))


def conflict_lines(conflict: dict[str, Any]) -> Iterator[str]:
    """Write one picture under several labels: which, then a line an image.

    >>> image = {"record_id": "folder-1", "label": "cat", "file": "cat/1.jpg", "width": 9, "height": 7}
    >>> for line in conflict_lines({"labels": ["cat", "dog"], "images": [image]}):
    ...     print(line)
    one picture as cat and as dog, kept as none of them
      cat/1.jpg                     cat, 9 x 7
    """
    yield f"one picture as {' and as '.join(conflict['labels'])}, kept as none of them"
    for image in conflict["images"]:
        yield f"  {image['file'] or image['record_id']:<28}  {image['label']}, {image['width']} x {image['height']}"


def group_lines(group: dict[str, Any]) -> Iterator[str]:
    """Write one group: who is kept, then a line a copy; a local file by its name, an image from the web by its id.

    >>> copy = {"record_id": "folder-2", "drop_reason": "near-duplicate", "distance_bits": 8, "turn": "mirror"}
    >>> group = {"keeper": "folder-1", "file": "a/1.jpg", "label": "a", "width": 9, "height": 7}
    >>> for line in group_lines(group | {"copies": [copy | {"file": "a/2.jpg"}]}):
    ...     print(line)
    a/1.jpg  a, 9 x 7, kept of 2
      a/2.jpg                       near-duplicate    8 bits, mirrored
    """
    size = f"{group['width']} x {group['height']}"
    yield f"{group['file'] or group['keeper']}  {group['label']}, {size}, kept of {len(group['copies']) + 1}"
    for copy in group["copies"]:
        yield f"  {copy['file'] or copy['record_id']:<28}  {copy['drop_reason']:<16}  {_likeness(copy)}".rstrip()


def _likeness(copy: dict[str, Any]) -> str:
    from curator.matching.orientations import ORIENTATION_PHRASES, ORIENTATIONS
    from curator.reasons import Drop
    from curator.text import plural

    if copy["drop_reason"] == Drop.EXACT_DUPLICATE:
        return ""
    bits, phrase = copy["distance_bits"], ORIENTATION_PHRASES[ORIENTATIONS.index(copy["turn"])]
    return f"{plural(bits, 'bit')}{f', {phrase}' if phrase else ''}"


def calibration_answer(dataset: "Dataset", false_rate: float) -> Answer:
    """Measure, and show the table and the radius that follows."""
    result = dataset.calibrate(false_rate)
    return Answer(
        lambda terminal: result.as_json(),
        lambda terminal: terminal.text("\n".join(map(terminal.spell, calibration_lines(result))) + "\n"),
    )


def calibration_lines(result: "Calibration") -> "Iterator[Text]":
    """Write the table of copies found and strangers taken for copies, in 80 columns."""
    from curator.inspect.calibrate.measure import RADII
    from curator.text import Command, plural

    yield f"copies found of {plural(result.n_images, 'image')}, in percent: by hash alone, by"
    yield "max_distance; and by pixels, whatever it is, once the two are compared"
    yield f"{'':<18}" + "".join(f"{radius:>8}" for radius in RADII) + f"{'pixels':>9}"
    for kind, one in result.kinds.items():
        shares = "".join(f"{100 * found / one.n:>8.1f}" for found in one.found)
        yield f"{kind:<18}{shares}{100 * one.by_pixels / one.n:>9.1f}"
    strangers = sum(one.n_strangers for one in result.kinds.values())
    yield f"of {strangers:,} pairs of strangers"
    for name, counts in (("matched", "false"), ("alike by one hash", "near")):
        sums = [sum(getattr(one, counts)[place] for one in result.kinds.values()) for place in range(len(RADII))]
        by_pixels = sum(one.false_by_pixels for one in result.kinds.values())
        last = f"{by_pixels:>9,}" if counts == "false" else ""
        yield f"{name:<18}" + "".join(f"{n:>8,}" for n in sums) + last
    yield "Strangers are an altered image and another of your images, unless those two are"
    yield "copies for certain (within 2 bits and confirmed). Copies that nobody knew of"
    yield "count as strangers too, so the true rate is at most what is shown;"
    yield (Command("dedupe --explain"), " lists what is matched.")
    if result.max_distance is None:
        yield f"No max_distance keeps the rate of false matches at {result.false_rate:g} here."
    else:
        yield f"For a rate of false matches of at most {result.false_rate:g}: max_distance = {result.max_distance}"
