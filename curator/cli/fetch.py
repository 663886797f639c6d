"""``curator fetch``: list, download and observe images; or only plan, and predict."""

from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from curator.cli.command import Answer, dataset_command, imports
from curator.cli.options import EngineOption
from curator.errors import CuratorError
from curator.observe.workers.start import may_fork, n_worth_starting, one_thread, started_ahead

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset

MOST_POOR_HOSTS = 5
"""Hosts named after a fetch."""


LimitOption = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="Try at most N images per label.")]
TargetOption = Annotated[int | None, typer.Option("--target", min=1, metavar="N", help="Stop at N images per label.")]
RetryOption = Annotated[
    Literal["none", "failed", "all"], typer.Option("--retry", help="Which failures to request again.")
]
ProbeOption = Annotated[
    int | None, typer.Option("--probe", min=1, metavar="N", help="With --plan: get N images, predict the rest.")
]


def observers_ahead(plan: bool, **_: Any) -> AbstractContextManager[None]:
    """Start the observing processes, unless none is needed."""
    if plan or not may_fork():
        return started_ahead(0 if plan else n_worth_starting())
    with imports(), one_thread():
        from curator.observe.workers.forked import fork_process
    return started_ahead(n_worth_starting(are_forked=True), fork_process)


@partial(dataset_command, ahead=observers_ahead)
def fetch(
    dataset: "Dataset",
    limit: LimitOption = None,
    target: TargetOption = None,
    retry: RetryOption = "none",
    plan: Annotated[bool, typer.Option("--plan", help="Only list and count; download no image.")] = False,
    probe: ProbeOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Do not stop at the target: get all.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Read lists again, not those kept.")] = False,
    engine: EngineOption = None,
) -> Answer:
    """List images, get them, and look at each once.

    Run again, it goes on where it stopped and requests nothing that it has.

    Example: curator fetch --target 2000
    """
    _get_ready(dataset, plan)
    from curator.cli.counts import stage_answer

    options: dict[str, Any] = {"target": target, "limit": limit, "everything": everything}
    if probe is not None:
        if not plan:
            raise CuratorError("--probe goes with --plan: it predicts a fetch without making it.", "Give both.")
        from curator.cli.forecast import forecast_answer

        return forecast_answer(dataset, dataset.forecast(probe, refresh=force, **options))
    if plan:
        from curator.cli.offers import plan_answer

        return plan_answer(dataset.plan(refresh=force, **options))
    counts = stage_answer(dataset.fetch(retry=retry, refresh=force, engine=engine, **options))

    def show(terminal: "Terminal") -> None:
        counts.show(terminal)
        print_poor_hosts(terminal, dataset)

    return Answer(counts.as_json, show, counts.is_short)


def _get_ready(dataset: "Dataset", plan: bool) -> None:
    """Import all that a fetch needs, and have nobody import pandas in passing, if it can do without."""
    with imports():
        from curator.cli import counts  # noqa: F401
        from curator.cli.arrow_alone import needs_no_pandas, use_arrow_alone
        from curator.inspect import stage_result  # noqa: F401

    if not plan and needs_no_pandas(dataset.project):
        use_arrow_alone()


def print_poor_hosts(terminal: "Terminal", dataset: "Dataset") -> None:
    """Print the hosts that failed more often than not, and where all are reported."""
    from curator.cli.hosts import print_hosts
    from curator.fetch.ledger.diagnosis import has_poor_host, suspect_own_dns
    from curator.text import Command

    if not has_poor_host(dataset.paths):
        return
    report = dataset.hosts()
    poor = report[report["ok"] * 2 < report["tried"]]
    if len(poor):
        remark = suspect_own_dns(report) or (Command("status --hosts"), " reports on all hosts.")
        print_hosts(terminal, "hosts that mostly failed", poor, remark, MOST_POOR_HOSTS)
