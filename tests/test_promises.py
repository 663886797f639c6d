"""Each promise names the tests that hold it, and they exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
PROMISES = [line for line in TEXT.partition("## Not promised")[0].splitlines() if line.startswith("| **")]


@cache
def names_in(path: Path) -> frozenset[str]:
    """The names of the test functions of a file."""
    found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return frozenset(one.name for one in found if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"))


@pytest.mark.parametrize("row", PROMISES, ids=lambda row: row.split("**")[1][:40])
def test_a_promise_is_held_by_tests_that_exist(row: str) -> None:
    """At least one, each as path::name."""
    _, _, held = row.strip("|").split("|")
    named = re.findall(r"`([^`]+)::([^`]+)`", held)
    assert named and held.count("::") == len(named)
    assert [(path, name) for path, name in named if name not in names_in(ROOT / path)] == []


def test_the_counts_add_up() -> None:
    """More was tried than held nowhere, and what did not hold would be told beside it."""
    rows = re.findall(r"^\| [^|]+ \| ([\d,]+) \| ([\d,]+) \|$", TEXT.partition("## Attacks tried")[2], re.MULTILINE)
    assert len(rows) >= 10
    for tried, held in rows:
        assert int(held.replace(",", "")) == int(tried.replace(",", "")) > 0
