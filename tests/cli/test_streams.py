"""Standard streams that are closed or that nobody reads: no traceback, and nothing of what is printed in a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_worlds import recipe_text, write_folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recipe."""
    root = tmp_path_factory.mktemp("place")
    (root / "manifests" / "small").mkdir(parents=True)
    (root / "manifests" / "small" / "recipe.toml").write_text(recipe_text(write_folder(root / "photos", 2), "max"))
    return root


@pytest.mark.parametrize("closing", [">&-", "2>&-", "<&- >&- 2>&-", "2>&1 | true", "> >(true) 2> >(true)"])
@pytest.mark.parametrize("command", ["status", "status --recipe nothing", "split"])
def test_closed_streams_do_no_harm(place: Path, closing: str, command: str) -> None:
    """Each of them, and a reader that has gone: the exit code is what it always is."""
    line = f"{sys.executable} -m curator {command} {closing}"
    environment = {**os.environ, "CURATOR_RECIPE": ""}
    done = subprocess.run(["bash", "-c", line], cwd=place, capture_output=True, text=True, env=environment, check=False)
    assert "Traceback" not in done.stderr + done.stdout
    if "|" not in closing and ">(" not in closing:
        assert done.returncode == (2 if "nothing" in command else 0), done
    header = (place / "data" / "small" / "attempts.sqlite").read_bytes()[:15] if "split" in command else b""
    assert header in (b"", b"SQLite format 3")
