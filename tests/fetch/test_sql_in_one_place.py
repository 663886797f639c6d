"""SQL is written in curator/fetch/ledger alone, and nobody hands it in."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "curator"
LEDGER = PACKAGE / "fetch" / "ledger"
SQL = re.compile(
    r"\b(SELECT|INSERT( OR \w+)? INTO|UPDATE \w+ SET|DELETE FROM|CREATE (TABLE|INDEX)|ALTER TABLE|PRAGMA)\s"
)


def sql_in(source: str) -> list[str]:
    """List the texts of a module that are SQL, and its imports of sqlite3."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
            found.append(node.value)
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if "sqlite3" in names or (isinstance(node, ast.ImportFrom) and node.module == "sqlite3"):
            found.append("sqlite3")
    return found


def test_sql_is_found():
    """The check itself sees a query, a statement and an import."""
    assert sql_in("import sqlite3\nx = f'SELECT {y} FROM z'") == ["sqlite3", "SELECT "]
    assert len(sql_in("a = 'DELETE FROM attempts'\nb = 'PRAGMA user_version'\nfrom sqlite3 import connect")) == 3
    assert sql_in("a = 'choose what to update, select from the list'") == []


def test_only_the_ledger_speaks_sql():
    """No other module holds a statement or opens a data base."""
    modules = [path for path in PACKAGE.rglob("*.py") if LEDGER not in path.parents]
    assert {str(path.relative_to(PACKAGE)) for path in modules if sql_in(path.read_text(encoding="utf-8"))} == set()


def test_no_public_method_takes_sql():
    """Callers say what they want to know, not how SQLite finds it."""
    tree = ast.parse((LEDGER / "ledger.py").read_text(encoding="utf-8"))
    taking = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        if {argument.arg for argument in node.args.args} & {"sql", "columns", "statement", "query"}
    ]
    assert taking == []
