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


def test_a_page_for_the_network_answers_to_this_machines_names_only() -> None:
    """By its address and name, with the token; a name that a stranger points at it is refused, as on 127.0.0.1."""
    from curator.review.guard import Guard
    from curator.review.network import names_of, own_address

    guard = Guard("secret", 8000, names_of("0.0.0.0"))
    refused = {
        host: guard.refusal("GET", "/secret/", {"host": f"{host}:8000"}) for host in (own_address(), "evil.example")
    }
    assert refused == {own_address(): None, "evil.example": "the Host is not this server"}
    assert guard.refusal("GET", "/wrong/", {"host": f"{own_address()}:8000"})
    assert names_of("192.168.1.5") == ("192.168.1.5",) and names_of("fe80::1") == ("[fe80::1]",)
