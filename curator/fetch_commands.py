"""What ``curator fetch`` and ``curator status --hosts`` do with an open session.

>>> fetch_options(10, False, "none", False).limit
10
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from pandas import DataFrame

from curator.catalog import Stage
from curator.cli.session import Session
from curator.cli.stage_result import show
from curator.cli.tables import print_json
from curator.errors import CuratorError
from curator.fetch.ledger.diagnosis import failure_columns, host_report, suspect_own_dns
from curator.forecast.probe import Forecast, in_words, probe
from curator.manifests.project import Project
from curator.pipeline import run as pipeline
from curator.pipeline.acquire import AcquireOptions, plan_listing
from curator.pipeline.run import Outcome
from curator.render.forecast import as_json, print_forecast
from curator.render.hosts import print_hosts
from curator.text import Command, spell

MOST_POOR_HOSTS = 5
"""Hosts named after a fetch."""


def fetch_options(
    limit: int | None, everything: bool, retry: Literal["none", "failed", "all"], force: bool
) -> AcquireOptions:
    """Gather the options of ``curator fetch``."""
    return AcquireOptions(limit=limit, everything=everything, retry=retry, refresh=force)


def fetch(
    session: Session, options: AcquireOptions, target: int | None, plan: bool, n_probed: int | None = None
) -> dict[str, int]:
    """List and fetch, or only plan; return the images missing per label.

    Raises:
        CuratorError: a probe without a plan.
    """
    if n_probed is not None and not plan:
        raise CuratorError("--probe goes with --plan: it predicts a fetch without making it.", "Give both.")
    recipe = session.project.recipe.with_overrides("fetch", target=target)
    project = dataclasses.replace(session.project, recipe=recipe)
    if plan:
        listing = plan_listing(project, options)
        if n_probed is not None:
            _show_forecast(session, project, probe(project, listing, n_probed, options))
            return {}
        show(session, Outcome(listing.table, tuple(listing.failures.values())), Stage.LISTED)
        return {}
    outcome = pipeline.fetch(project, options)
    show(session, outcome, Stage.FETCHED)
    if not session.as_json:
        _show_poor_hosts(session)
    return outcome.missing


def _show_forecast(session: Session, project: Project, forecast: Forecast) -> None:
    wanted = forecast.per_class or 1
    reach = {label: in_words(prediction.chance_of(wanted)) for label, prediction in forecast.labels.items()}
    seed = project.recipe.split.seed
    if session.as_json:
        print_json({"name": project.recipe.name, **as_json(forecast, reach, seed)})
    else:
        print_forecast(project.recipe.name, forecast, reach, seed)


def _show_poor_hosts(session: Session) -> None:
    """Show the hosts that failed more often than not, and where all are told."""
    report = _host_report(session)
    poor = report[report["ok"] * 2 < report["tried"]]
    if len(poor):
        remark = suspect_own_dns(report) or (Command("status --hosts"), " tells of all hosts.")
        remark = spell(remark, session.option)
        print_hosts("hosts that mostly failed", poor, failure_columns(poor), remark, MOST_POOR_HOSTS)


def _host_report(session: Session) -> DataFrame:
    report = host_report(session.project.paths)
    return report.assign(advice=[spell(advice, session.option) for advice in report["advice"]])


def show_hosts(session: Session) -> None:
    """Show how each host did and what to do about it, the worst first."""
    report = _host_report(session)
    remark = spell(suspect_own_dns(report), session.option)
    if session.as_json:
        hosts = report.astype(object).where(report.notna(), None).to_dict("records")
        print_json({"name": session.project.recipe.name, "hosts": hosts, "remark": remark})
    else:
        print_hosts(f"{session.project.recipe.name}, hosts", report, failure_columns(report), remark)
