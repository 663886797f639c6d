"""In a terminal lines are wrapped at words; commands, names and paths stay whole; a pipe gets long lines."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.cli.progress import ProgressLine
from curator.cli.wrapping import wrap
from tests.cli.pasted import in_terminal
from tests.nursery import run_curator
from tests.small_worlds import recipe_text, write_folder

PARTS = st.sampled_from(
    ["a", "word", "`curator why 'a b'`", "'Golden Retriever'", "Ann's", "/no/such/place", "犬", "("]
)


@given(st.lists(PARTS, min_size=1).map(" ".join), st.integers(1, 100))
def test_wrapping_only_replaces_spaces_by_line_ends(text: str, width: int) -> None:
    """No word is lost or broken, and each command and quoted name is on one line."""
    wrapped = wrap(text, width)
    assert re.sub(r"\s+", " ", wrapped).strip() == re.sub(r"\s+", " ", text).strip()
    for whole in re.findall(r"`[^`]+`|'Golden Retriever'", text):
        assert whole in wrapped


def test_what_follows_a_heading_of_two_words_is_under_its_text() -> None:
    """As it is behind one of one word; prose has no heading."""
    assert (
        wrap("  same as  folder-1 (rugby/1.jpg, kept)", 28)
        == "  same as  folder-1\n           (rugby/1.jpg,\n           kept)"
    )
    assert wrap("a folder of pictures has a label", 20) == "a folder of pictures\nhas a label"


def test_a_path_with_spaces_stays_whole(tmp_path: Path) -> None:
    """Also one that does not exist, in a folder that does."""
    folder = tmp_path / "my own photos"
    folder.mkdir()
    for path in (folder, folder / "none.jpg"):
        assert str(path) in wrap(f"The place {path} does not hold what was looked for (see {path}).", 40)


def in_a_terminal(*words: str, cwd: Path, **environment: str) -> str:
    """Run a command with a terminal of 60 columns for its output and its errors; return all that it printed."""
    ours, theirs = pty.openpty()
    plain = {"CURATOR_RECIPE": "", "COLUMNS": "60", "TERM": "xterm", "NO_COLOR": "", "FORCE_COLOR": ""}
    process = subprocess.Popen(
        [sys.executable, "-m", "curator", *words],
        cwd=cwd,
        env={**os.environ, **plain, **environment},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    printed = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # how Linux says that nobody has the other end any more
            break
        if not more:
            break
        printed += more
    process.wait()
    os.close(ours)
    return printed.decode().replace("\r\n", "\n")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe that wants more than its folder, whose name has spaces, can give."""
    folder = tmp_path_factory.mktemp("a place with spaces")
    (folder / "manifests" / "small").mkdir(parents=True)
    recipe = recipe_text(write_folder(folder / "my own photos", 2), per_class=50)
    (folder / "manifests" / "small" / "recipe.toml").write_text(recipe)
    (folder / "deep").mkdir()
    return folder


def test_a_terminal_gets_short_lines_and_whole_commands(place: Path) -> None:
    """An error of 60 columns; the same words in one line for a pipe; escape codes only where they are wanted."""
    error = in_a_terminal("split", cwd=place / "deep", NO_COLOR="1")
    assert "\x1b[3" not in error and "\x1b[1" not in error
    lines = error[error.index("error:") :].splitlines()
    assert max(map(len, lines)) <= 60
    assert in_terminal(error) == ["curator split --per-class max"]  # a fetch would find no more in this folder
    assert "\x1b[1;31merror:" in in_a_terminal("split", cwd=place)
    piped = run_curator("split", cwd=place, environment={})
    assert "\x1b" not in piped.stderr and max(map(len, piped.stderr.splitlines())) > 60
    assert (
        re.sub(r"\s+", " ", piped.stderr[piped.stderr.index("error:") :]) == re.sub(r"\s+", " ", "\n".join(lines)) + " "
    )


def test_one_trouble_is_told_once(place: Path) -> None:
    """A source that fails is one warning, not a remark, a warning and a note; the only one that fails is one error."""
    path = place / "manifests" / "small" / "recipe.toml"
    (place / "others" / "cat").mkdir(parents=True)
    (place / "others" / "cat" / "1.jpg").touch()
    good = path.read_text()
    path.write_text(
        good.replace("[balance]", '[[sources]]\nkind = "folder"\nname = "more"\npath = "../../others"\n[balance]')
    )
    done = run_curator("fetch", cwd=place, environment={})
    assert done.returncode == 1 and (done.stdout + done.stderr).count("cat 1") == 1
    assert "warning: The source more could not be listed" in done.stderr
    assert done.stdout.rstrip().endswith("too few images: rugby misses 48, soccer misses 48")
    done = run_curator("run", cwd=place, environment={})
    assert done.returncode == 1 and done.stderr.count("Too few") == 1 and "missing" in done.stderr
    path.write_text(good.replace("my own photos", "others"))
    done = run_curator("fetch", "--force", cwd=place, environment={})
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("error: The source folder could not be listed: ")
    path.write_text(good)


def test_a_pipe_gets_a_line_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """Not one an item; the longer it takes, the fewer."""
    now = 0.0
    line = ProgressLine("fetch", 4000, "image", 0, clock=lambda: now)
    for n in range(4000):
        now = n / 10
        line.set_postfix_str(f"ok {n:,}, failed 1", refresh=False)
        line.update(1)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "fetch: 51 of 4,000 images, 10/s, 6 min left (ok 50, failed 1)"
    assert 20 < len(told) < 60
    metadata = ProgressLine("reading train.csv", None, "B", 0, clock=lambda: now)
    now += 5
    metadata.update(2_000_000)
    assert capsys.readouterr().err == "reading train.csv: 2.0 MB, 400.0 kB/s\n"
