"""The page's JavaScript modules that need no page, by the test runner of Node; and that each module is served."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

server = pytest.importorskip("curator.review.server", reason="the extra `review` is not installed")
PAGE = Path(str(files("curator.review"))) / "page"


def test_modules_by_themselves(tmp_path: Path) -> None:
    """Layout, selection, address and keys: Node 20 or later runs their tests, nothing is built."""
    if (node := shutil.which("node")) is None:
        pytest.skip("node is not installed")
    shutil.copytree(PAGE, tmp_path / "page")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for test in (Path(__file__).parent / "modules").glob("*.test.js"):
        shutil.copy(test, tmp_path)
    done = subprocess.run([node, "--test", str(tmp_path)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_each_module_is_served_and_preloaded() -> None:
    """No file is forgotten in the list, and each has at most 300 lines."""
    names = {path.stem for path in PAGE.glob("*.js")}
    assert names == set(server.MODULES)
    preloaded = re.findall(r'modulepreload" href="(\w+)\.js"', (PAGE / "review.html").read_text("utf-8"))
    assert {*preloaded, "review"} == names
    assert max(len(path.read_text("utf-8").splitlines()) for path in PAGE.glob("*.js")) <= 300
