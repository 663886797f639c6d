"""The commands that fetch and that say where a data set stands.

>>> fetch.__name__, status.__name__
('fetch', 'status')
"""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from curator.cli.session import DataOption, JsonOption, QuietOption, RecipeOption, finish, open_session, reports_errors
from curator.store.paths import DATA


@reports_errors
def fetch(
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Try at most N images per label.")] = None,
    target: Annotated[int | None, typer.Option("--target", min=1, help="Images to obtain per label.")] = None,
    retry: Annotated[Literal["none", "failed", "all"], typer.Option("--retry", help="What to ask for again.")] = "none",
    plan: Annotated[bool, typer.Option("--plan", help="List and count; download metadata but no image.")] = False,
    probe: Annotated[int | None, typer.Option("--probe", min=1, help="With --plan: ask for N, predict.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Go past the target: fetch all that is listed.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Read lists and metadata again, not from the cache.")] = False,
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """List, download and look at images; resumes by itself.

    It goes on where an earlier run stopped and asks for nothing that it has.
    """
    from curator.observe.workers.start import n_worth_starting, started_ahead

    with started_ahead(0 if plan else n_worth_starting()), open_session(recipe, data, quiet, as_json) as session:
        from curator import fetch_commands

        options = fetch_commands.fetch_options(limit, everything, retry, force)
        finish(fetch_commands.fetch(session, options, target, plan, probe))


@reports_errors
def status(
    hosts: Annotated[bool, typer.Option("--hosts", help="How each host did, and what to do about it.")] = False,
    recipe: RecipeOption = None,
    data: DataOption = DATA,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Count per label, source and reason; say what to run next."""
    from curator import fetch_commands, inspect_commands

    with open_session(recipe, data, quiet, as_json) as session:
        if hosts:
            fetch_commands.show_hosts(session)
        else:
            inspect_commands.show_status(session)
