"""A second ``curator fetch`` on the same data set does no harm: it says who is at work, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.small_webs import PictureHandler, serving

pytestmark = pytest.mark.torture("two fetches at once, or after one that was killed")

N_IMAGES = 12
WAIT_S = 240.0

RECIPE = """
name = "shared"
labels = ["rugby", "soccer"]
[[sources]]
kind = "url-list"
path = "urls.csv"
[fetch]
allow_private_hosts = true
timeout_s = 600.0
[balance]
per_class = "max"
"""


@dataclass
class HeldWeb:
    """A server that answers nothing until it is let go."""

    port: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    is_asked: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def web() -> Iterator[HeldWeb]:
    """Pictures, each another, at ``/<number>.jpg``."""
    held = HeldWeb()

    class Handler(PictureHandler):
        def do_GET(self) -> None:  # noqa: N802 -- http.server's name
            held.asked[self.path] += 1
            held.is_asked.set()
            held.let_go.wait(WAIT_S)
            self.send_picture()

    with serving(Handler) as held.port:
        yield held
        held.let_go.set()


@pytest.fixture
def place(tmp_path: Path, web: HeldWeb) -> Path:
    """A folder with a recipe for these pictures."""
    folder = tmp_path / "manifests" / "shared"
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(RECIPE)
    rows = [f"http://127.0.0.1:{web.port}/{n}.jpg,{('rugby', 'soccer')[n % 2]}\n" for n in range(N_IMAGES)]
    (folder / "urls.csv").write_text("url,label\n" + "".join(rows))
    return tmp_path


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    environment = {**os.environ, "COLUMNS": "80", "CURATOR_RECIPE": ""}
    command = [sys.executable, "-m", "curator", *arguments]
    return subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for its end; give its exit code and what it wrote on both streams."""
    out, err = process.communicate(timeout=WAIT_S)
    return process.returncode, out, err


def test_the_second_fetch_names_the_first_and_nothing_is_lost(place: Path, web: HeldWeb) -> None:
    """Exit code 1 and the holder's command and process; the first gets every image, each asked for once."""
    first = start("fetch", cwd=place)
    assert web.is_asked.wait(WAIT_S)
    seconds = [start("fetch", cwd=place), start("fetch", "--retry", "all", cwd=place)]
    for code, out, err in map(finish, seconds):
        assert (code, out) == (1, "")
        assert f"is in use by `curator fetch`, process {first.pid} on " in " ".join(err.split())
        assert "Traceback" not in err
    code, _, err = finish(start("status", cwd=place))
    assert (code, err) == (0, "")
    web.let_go.set()
    assert finish(first)[0] == 0
    code, out, _ = finish(start("fetch", "--json", cwd=place))
    assert (code, json.loads(out)["kept"]) == (0, N_IMAGES)
    assert set(web.asked.values()) == {1} and len(web.asked) == N_IMAGES


def test_a_lock_left_by_a_killed_fetch_stops_nobody(place: Path, web: HeldWeb) -> None:
    """The next fetch goes on at once; only what was in flight is asked for again."""
    first = start("fetch", cwd=place)
    assert web.is_asked.wait(WAIT_S)
    first.kill()
    finish(first)
    n_in_flight = sum(web.asked.values())
    web.let_go.set()
    code, out, err = finish(start("fetch", "--json", cwd=place))
    assert (code, json.loads(out)["kept"]) == (0, N_IMAGES), err
    assert sum(web.asked.values()) <= N_IMAGES + n_in_flight
