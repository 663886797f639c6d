"""SIGKILL before the n-th disk operation of each command: the next one leaves what a run leaves that nobody killed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from curator.inspect.verify import verify_files
from curator.manifests.manifest import read_manifest
from curator.store.paths import DataPaths
from tests.fuzz.killed_commands import Nursery
from tests.fuzz.rounds import count, sample
from tests.ledger_file import query
from tests.small_worlds import picture, recipe_text, write_folder

N_KILLS = 4
"""Kills of a command in the sample."""
NOWHERE = "host:nowhere.example"
LEFT_OUT = re.compile(r"data/small/(?:lock|sums\.jsonl|attempts\.sqlite.*)$")
"""What differs from run to run: who held the lock, the order of sums, times in the ledger."""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """One parent for all commands."""
    parent = Nursery()
    yield parent
    parent.close()


@pytest.fixture(scope="module")
def bases(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same data set before each command: nothing yet, fetched, split, and all made of it that there can be."""
    work, kept = tmp_path_factory.mktemp("work") / "project", tmp_path_factory.mktemp("bases")
    photos = write_folder(work / "photos", 4)
    for label in ("rugby", "soccer"):
        picture(5000 + len(label)).save(photos / label / "odd.gif")
    recipe = work / "manifests" / "small" / "recipe.toml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text(recipe_text(photos, "max"), encoding="utf-8")
    steps = {
        "nothing": [],
        "fetched": [["fetch"]],
        "split": [["split"]],
        "all": [["export", "imagefolder"], ["export", "webdataset"], ["dedupe", "--gallery"], ["split"]],
    }
    found = {"work": work}
    for name, commands in steps.items():
        for words in commands:
            assert nursery.run(work, words)["code"] == 0, words
        found[name] = kept / name
        copy(work, found[name])
    return found


def copy(source: Path, target: Path) -> None:
    """Copy with times and hard links, in place of what is there."""
    subprocess.run(["rm", "-rf", str(target)], check=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def paths_of(root: Path) -> DataPaths:
    return DataPaths(root / "data", root / "manifests" / "small", "small")


def everything(root: Path) -> dict[str, bytes]:
    """All files that a command may write, but for those that differ from run to run."""
    names = (path for home in ("data", "manifests") for path in sorted((root / home).rglob("*")) if path.is_file())
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in names}
    files = {name: normal(name, data) for name, data in found.items() if not LEFT_OUT.search(name)}
    ledger = query(paths_of(root).attempts, "SELECT DISTINCT address, outcome, hex(sha256) FROM attempts ORDER BY 1")
    return files | {"the ledger": repr(ledger).encode()}


def normal(name: str, data: bytes) -> bytes:
    """Tombstones are a set."""
    return b"".join(sorted(data.splitlines(keepends=True))) if name.endswith("forgotten.jsonl") else data


COMMANDS: dict[str, tuple[str, list[str]]] = {
    "fetch": ("nothing", ["fetch"]),
    "split": ("fetched", ["split"]),
    "split again": ("split", ["split", "--per-class", "2"]),
    "export to folders": ("split", ["export", "imagefolder"]),
    "export to shards": ("all", ["export", "webdataset"]),
    "forget": ("all", ["forget"]),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_killed_command_is_finished_by_the_next(name: str, bases: dict[str, Path], nursery: Nursery) -> None:
    """Byte for byte, and `verify` has nothing against it; no file that was being written is left.

    A forget that was killed is finished by another, of something else.
    """
    base, words = COMMANDS[name]
    work, again, gone = bases["work"], words, ""
    if name == "forget":
        gone = find_converted(bases["all"])
        words, again = [*words, gone], [*words, NOWHERE]
    expected = {True: outcome(nursery, bases[base], work, [words, again] if gone else [words])}
    if gone:
        expected[False] = outcome(nursery, bases[base], work, [again])
    copy(bases[base], work)
    n = nursery.run(work, words)["n"]
    places = sample(range(1, n + 1), N_KILLS, name)
    for place in places:
        copy(bases[base], work)
        killed = nursery.run(work, words, place)["status"] == -9
        assert killed or place > 0.7 * n, (
            place
        )  # answers come together or one by one, so a fetch has a few more or less
        has_begun = not gone or gone in read(work / "manifests" / "small" / "forgotten.jsonl")
        assert nursery.run(work, again)["code"] == 0, place
        found = everything(work)
        wanted = expected[has_begun]
        different = [name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)]
        assert not different, (place, sorted(different))
        if paths_of(work).manifest.exists():
            assert verify_files(paths_of(work), fast=True).findings == (), place
        if gone and has_begun:
            check_gone(work, gone)
        count(f"SIGKILL before the n-th disk operation of `curator {words[0]}`, then the next command", 1, 1)


def outcome(nursery: Nursery, base: Path, work: Path, commands: list[list[str]]) -> dict[str, bytes]:
    """What commands leave that nobody kills."""
    copy(base, work)
    for words in commands:
        assert nursery.run(work, words)["code"] == 0, words
    return everything(work)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def find_converted(root: Path) -> str:
    """The SHA-256 of an image that the folders hold in another form."""
    rows = read_manifest(paths_of(root).manifest)
    return str(rows[rows["format"] == "gif"]["sha256"].iloc[0])


def check_gone(root: Path, sha256: str) -> None:
    """Neither a name nor a content below the data folder is that of what was forgotten."""
    raw = bytes.fromhex(sha256)
    for path in (root / "data" / "small").rglob("*"):
        assert sha256 not in path.name
        data = path.read_bytes() if path.is_file() else b""
        assert sha256.encode() not in data and raw not in data, path
