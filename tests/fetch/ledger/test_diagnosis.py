"""The report on hosts costs what there are attempts, not attempts times hosts."""

import json
import sqlite3

import pytest

from curator.fetch.ledger import queries
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import Attempt

N_HOSTS = 400


@pytest.fixture
def steps(tmp_path):
    """Count the thousands of SQLite's steps that a question takes over a ledger of four hundred hosts."""
    path = tmp_path / "attempts.sqlite"
    hosts = [f"h{number}.example" for number in range(N_HOSTS)]
    with Ledger(path) as ledger:
        addresses = [(host, f"http://{host}/{k}.jpg") for host in hosts for k in range(5)]
        ledger.record([Attempt(address, host, 0.0, 0.1, "gone", 404) for host, address in addresses], [])
    families = json.dumps({host: host for host in hosts})

    def count(sql):
        taken = []
        connection = sqlite3.connect(path)
        connection.set_progress_handler(lambda: taken.append(1) and None, 1000)
        assert len(connection.execute(sql, (families,)).fetchall()) == N_HOSTS
        connection.close()
        return len(taken)

    return count


@pytest.mark.parametrize("sql", [queries.FAMILY_OUTCOMES, queries.FAMILY_COSTS], ids=["outcomes", "costs"])
def test_many_hosts_are_reported_in_one_pass(steps, sql):
    """Two thousand attempts take some hundred steps each; a pass for each of the hosts would take thousands."""
    assert steps(sql) < 2_000 * 0.5
