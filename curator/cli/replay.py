"""``curator replay``: a data set rebuilt from its manifest alone."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, open_named, reports_errors
from curator.cli.options import DataOption, JsonOption, QuietOption, RecipeOption
from curator.store.paths import DATA
from curator.store.root import working_place

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.pipeline.replay import Replay


@reports_errors
def replay(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="The manifest.csv to rebuild from; it is only read.")
    ],
    accept_similar: Annotated[
        bool, typer.Option("--accept-similar", help="Keep files that have changed but show the same.")
    ] = False,
    rescue: Annotated[
        bool, typer.Option("--rescue", help="Look what is lost up in a web archive, at most one request a second.")
    ] = False,
    recipe: RecipeOption = None,
    data: DataOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Rebuild a data set from its manifest alone.

    With the same split; what the web has lost is reported.

    Example: curator replay manifests/birds/manifest.csv
    """
    from curator.cli.progress import TerminalProgress
    from curator.cli.terminal import Terminal
    from curator.manifests.settings import FetchSettings, QualitySettings
    from curator.pipeline.replay import replay_manifest

    fetch, quality, named = FetchSettings(), QualitySettings(), None
    if recipe is not None:
        named = open_named(recipe, data).recipe
        fetch, quality = named.fetch, named.quality
    fetch = replace(fetch, rescue=rescue or fetch.rescue)
    bars = TerminalProgress(quiet)
    try:
        done = replay_manifest(manifest, data or working_place(DATA), fetch, accept_similar, quality, bars, named)
    finally:
        bars.close()
    replay_answer(done).finish(Terminal(), as_json)


def replay_answer(done: "Replay") -> Answer:
    """Show what became of the manifest's images."""
    from curator.pipeline.replay import count_hosts
    from curator.text import plural

    counts = done.counts()

    def show(terminal: "Terminal") -> None:
        fates = ", ".join(f"{fate} {n:,}" for fate, n in counts.items() if n)
        terminal.note(f"{plural(len(done.images), 'image')}: {fates}")
        terminal.note(f"manifest: {done.paths.manifest} ({plural(done.n_kept, 'image')})")
        terminal.note(f"by host:  {done.paths.link_rot}")
        if done.n_stored:
            terminal.note(
                f"{plural(done.n_stored, 'image')} came from the object store, and no host was asked for them."
            )
        if done.n_rescued:
            terminal.note(
                f"{plural(done.n_rescued, 'image')} of these came from a web archive: {done.paths.replayed_images}"
            )
        elif done.n_lost and not done.was_rescued:
            terminal.note(
                f"`--rescue` looks {plural(done.n_lost, 'lost address', 'lost addresses')} up in a web archive."
            )
        if counts["similar"] and done.n_kept == counts["same"]:
            terminal.note("`--accept-similar` keeps those whose bytes have changed but not the picture.")

    hosts = count_hosts(done.images).to_dict("records")
    facts = {"images": len(done.images), "kept": done.n_kept, **counts, "rescued": done.n_rescued, "hosts": hosts}
    facts |= {"stored": done.n_stored}
    facts |= {"manifest": str(done.paths.manifest), "path": str(done.paths.folder)}
    return Answer(lambda terminal: facts, show, not done.is_whole)
