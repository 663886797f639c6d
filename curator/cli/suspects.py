"""``curator suspects``: which images are probably wrong, and why."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from curator.cli.command import Answer, dataset_command
from curator.cli.options import ForceOption

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset
    from curator.store.suspects_file import Suspects

LimitOption = Annotated[
    int, typer.Option("--limit", min=1, metavar="N", help="List at most N images under each heading.")
]


@dataset_command
def suspects(dataset: "Dataset", limit: LimitOption = 20, force: ForceOption = False) -> Answer:
    """Find images with a wrong label, of no label, or of low quality.

    Example: curator suspects
    """
    found = dataset.suspects(force=force)
    return suspects_answer(dataset, found, limit)


def suspects_answer(dataset: "Dataset", found: "Suspects", limit: int) -> Answer:
    """Show the suspects under three headings, those first of which there is most to say."""
    from curator.manifests.reviews import decided_keys, read_reviews, standing_reviews
    from curator.store.suspects_file import LISTS, count_decided, list_suspects
    from curator.text import Command

    decided = decided_keys(standing_reviews(read_reviews(dataset.paths.reviews)))
    kinds, (n_decided, n_suspects) = list_suspects(found.table, decided), count_decided(found, decided)

    def show(terminal: "Terminal") -> None:
        from curator.text import plural

        rows_now = dataset.table.set_index("record_id")
        names, fates = (rows_now[column].dropna().to_dict() for column in ("source_id", "drop_reason"))
        for heading, rows in kinds.items():
            terminal.note(f"{heading}: {len(rows):,} of {plural(len(found.table), 'image')}", "bold")
            for row in rows.head(limit).to_dict("records"):
                name = names.get(row["record_id"], row["label"])
                evidence = row["evidence"][-len(row["low_quality"]) :] if heading == "low quality" else row["evidence"]
                fate = f", not in the set: {fates[row['record_id']]}" if row["record_id"] in fates else ""
                terminal.note(f"  {row['record_id']} ({name}{fate}): {'; '.join(evidence)}")
            if len(rows) > limit:
                terminal.note(f"  and {len(rows) - limit:,} more (--limit, or --json for all)")
        terminal.notes(found.notes)
        terminal.note(f"judged by {found.model}; nothing was dropped")
        terminal.note(f"{n_decided:,} of {plural(n_suspects, 'suspect')} decided by a person")
        terminal.next(Command("review"), "it shows them, and keeps what you decide")

    def facts(terminal: "Terminal") -> dict[str, Any]:
        rows = {
            heading: [
                {name: _plain(value, name in LISTS) for name, value in row.items()} for row in one.to_dict("records")
            ]
            for heading, one in kinds.items()
        }
        about = {"model": found.model, "n_images": len(found.table), "notes": list(found.notes)}
        about |= {"n_suspects": n_suspects, "n_decided": n_decided}
        return {**about, "effect": found.effect, **rows}

    return Answer(facts, show)


def _plain(value: Any, is_list: bool) -> Any:
    import pandas as pd

    if is_list:
        return list(value)
    return None if pd.isna(value) else value
