"""``curator status``: the counts of the latest stage, what to run next, and how each host did."""

from typing import TYPE_CHECKING, Annotated

import typer

from curator.cli.command import Answer, dataset_command

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset


@dataset_command
def status(
    dataset: "Dataset",
    hosts: Annotated[bool, typer.Option("--hosts", help="How each web host did, and what to do.")] = False,
) -> Answer:
    """Count what is kept and what is not, and why; say what is next.

    Example: curator status --hosts
    """
    from curator.cli.counts import print_counts

    if hosts:
        return hosts_answer(dataset)
    found = dataset.status()
    return Answer(lambda terminal: found.as_json(terminal.option), lambda terminal: print_counts(terminal, found))


def hosts_answer(dataset: "Dataset") -> Answer:
    """Show how each host did and what to do about it, the worst first."""
    from curator.cli.hosts import print_hosts
    from curator.fetch.ledger.diagnosis import suspect_own_dns

    report = dataset.hosts()
    remark = suspect_own_dns(report)
    rows = report.astype(object).where(report.notna(), None).to_dict("records")

    def facts(terminal: "Terminal") -> dict[str, object]:
        hosts = [{**row, "advice": terminal.spell(row["advice"])} for row in rows]
        return {"name": dataset.name, "hosts": hosts, "remark": terminal.spell(remark)}

    return Answer(
        facts,
        lambda terminal: print_hosts(terminal, f"{dataset.name}, hosts", report, remark),
    )
