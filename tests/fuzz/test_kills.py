"""Harm before the n-th disk operation of each command: the next one leaves what a run leaves that nobody harmed.

It is killed or interrupted, the disk is full, fails or may only be read from then on, no further file can be opened, or
another command comes in between.
"""

from __future__ import annotations

import functools
import random
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from curator.inspect.verify import verify_files
from curator.manifests.manifest import read_manifest
from curator.reasons import Stage
from curator.store.catalog_files import read_catalog
from curator.store.paths import DataPaths
from tests.fuzz.killed_commands import Nursery
from tests.fuzz.rounds import FULL, counted, sample
from tests.ledger_file import query
from tests.small_worlds import picture, recipe_text, write_folder

pytestmark = pytest.mark.torture

N_KILLS, N_HARMS = 4, 1
"""Kills of a command in the sample, and times that anything else happens to it."""
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
    photos = write_folder(work / "photos", 2)
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


Clean = tuple[int, dict[bool, dict[str, bytes]]]
"""How many disk operations a command has that nobody harms; all files after it and its next, or after that alone."""


@pytest.fixture(scope="module")
def clean(bases: dict[str, Path], nursery: Nursery) -> Callable[[str], Clean]:
    """What each command leaves, found out when it is first wanted."""

    @functools.cache
    def of(name: str) -> Clean:
        base, words = COMMANDS[name]
        work = bases["work"]
        copy(bases[base], work)
        if name != "forget":
            n = nursery.run(work, words)["n"]
            return n, {True: outcome(nursery, bases[base], work, [words])}
        gone, again = [*words, find_converted(bases["all"])], [*words, NOWHERE]
        n = nursery.run(work, gone)["n"]
        both, second = (outcome(nursery, bases[base], work, commands) for commands in ([gone, again], [again]))
        return n, {True: both, False: second}

    return of


HARMS = {
    "KILL": "SIGKILL before the n-th disk operation",
    "INT": "SIGINT before the n-th disk operation",
    "EIO": "a disk that fails once (EIO) at the n-th disk operation",
    "ENOSPC": "a full disk (ENOSPC) from the n-th disk operation on",
    "STOP": "another command at the n-th disk operation",
    "EROFS": "a disk that may only be read (EROFS) from the n-th disk operation on",
    "EMFILE": "no further open file (EMFILE) from the n-th disk operation on",
    "TERM": "SIGTERM before the n-th disk operation",
    "HUP": "SIGHUP before the n-th disk operation",
}
"""What happens before the n-th operation, and how `make torture` counts it."""
SIGNALS = {"KILL": (-9,), "TERM": (-15,), "HUP": (-1,), "INT": (0,), "STOP": (0,)}
OTHERS = [*HARMS][1:]


def places_of(name: str, harm: str, n: int) -> list[int]:
    """All operations in the full size; in the sample the first, the last and two others for SIGKILL, one for others."""
    everywhere = range(1, n + 1)
    if FULL or harm == "KILL":
        return sample(everywhere, N_KILLS, name)
    return random.Random(f"{name} {harm}").sample(everywhere, N_HARMS)


def harms_of(name: str) -> list[str]:
    """All harms in the full size; in the sample SIGKILL and two others, each command its own."""
    place = 2 * list(COMMANDS).index(name)
    return [*HARMS] if FULL else ["KILL", *(OTHERS[(place + n) % len(OTHERS)] for n in range(2))]


@pytest.mark.parametrize(
    ("name", "harm"), [(name, harm) for harm in HARMS for name in COMMANDS if harm in harms_of(name)]
)
def test_a_harmed_command_is_finished_by_the_next(
    name: str, harm: str, bases: dict[str, Path], clean: Callable[[str], Clean], nursery: Nursery
) -> None:
    """Byte for byte, and `verify` has nothing against it; no file that was being written is left, none ends in a trace.

    A forget that was harmed is finished by another, of something else.
    """
    base, words = COMMANDS[name]
    work, gone = bases["work"], find_converted(bases["all"]) if name == "forget" else ""
    words, again = [*words, *filter(None, [gone])], [*words, NOWHERE] if gone else words
    (n, expected), faults = clean(name), []
    shown = find_thumbnail(bases[base], gone) if gone else b""
    for place in places_of(name, harm, n):
        copy(bases[base], work)
        try:
            with counted(f"{HARMS[harm]}, then the next command"):
                check_end(harm, nursery.run(work, words, place, harm, again), place, n)
                has_begun = not gone or gone in read(work / "manifests" / "small" / "forgotten.jsonl")
                assert nursery.run(work, again)["code"] == 0, place
                check_files(work, expected[has_begun], gone if has_begun else "", shown, place)
        except AssertionError as fault:  # the places after it are tried all the same
            faults.append(str(fault))
    assert not faults, "\n".join(faults)


def check_files(work: Path, wanted: dict[str, bytes], gone: str, shown: bytes, place: int) -> None:
    """Every file is as it should be, `verify` finds no fault, and nothing of what was forgotten is left."""
    found = everything(work)
    different = [name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)]
    assert not different, (place, sorted(different))
    if paths_of(work).manifest.exists():
        assert verify_files(paths_of(work), fast=True).findings == (), place
    if gone:
        check_gone(work, gone, shown)


def check_end(harm: str, ended: dict[str, Any], place: int, n: int) -> None:
    """A signal ends it as it should, another command waits for its turn, and whatever is said is one paragraph."""
    said = [ended.get("said", ""), ended.get("second", {}).get("said", "")]
    # What is raised while Python tidies up goes nowhere, and Python says so.
    assert not any("Traceback" in text and "Exception ignored" not in text for text in said), (place, said)
    codes = [one["code"] for one in (ended, ended.get("second", {})) if "code" in one]
    assert set(codes) <= {0, 1, 2, 130}, (place, ended)
    assert ended["status"] != -signal.SIGALRM, (place, "it hung")
    # Answers come together or one by one, so a fetch has a few operations more or less.
    assert ended["status"] in SIGNALS.get(harm, (0,)) or place > 0.7 * n, (place, ended)
    if harm == "STOP" and place <= 0.7 * n:
        assert ended["code"] in (0, 1) and "second" in ended, (place, ended)


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


def find_thumbnail(root: Path, sha256: str) -> bytes:
    """The bytes beside the catalogs that show an image."""
    rows = read_catalog(paths_of(root).catalog(Stage.FETCHED))
    found: bytes = rows["thumbnail"][rows["sha256"] == sha256].iloc[0]
    files = (path for path in (root / "data" / "small").rglob("*") if path.is_file())
    assert len(found) == 512 and any(found in path.read_bytes() for path in files)
    return found


def check_gone(root: Path, sha256: str, shown: bytes) -> None:
    """Neither a name nor a content below the data folder is that of what was forgotten, nor is its thumbnail there."""
    raw = bytes.fromhex(sha256)
    for path in (root / "data" / "small").rglob("*"):
        assert sha256 not in path.name
        data = path.read_bytes() if path.is_file() else b""
        assert sha256.encode() not in data and raw not in data and shown not in data, path
