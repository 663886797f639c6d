"""A ledger's file as any program may read or alter it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Run one statement and commit it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql).fetchall()
