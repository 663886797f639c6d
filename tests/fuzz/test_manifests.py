"""Manifests with chance mutations: every command that reads one does its work, or ends with one paragraph.

``CURATOR_FUZZ=2000`` tries so many; a failure names its seed.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curator.catalog import Stage
from curator.cli.app import app
from curator.pipeline import run_stages as pipeline
from tests.small_worlds import recipe_text, small_project, write_folder

N_TRIES = int(os.environ.get("CURATOR_FUZZ", "40"))

CELLS = (
    "", " ", "22,561", "1e5", "12.0", "-5", "0", "TRUE", "null", "nan", "NA", "=1+1", "'", '"', '""', "a\rb",
    "a\nb", "a\r\nb", "\x00", "\x85", "\u2028", "\u202e", "\U0001f3c9", "x" * 200_000, "../../etc/passwd",
    "/etc/passwd", "train", "test", "rugby", "99999999999999999999", "1.23457E+15", "http://[",
    "file:///etc/passwd", ";", ",", "\t", "\\", "'=1", "0x10", "\u0661", "inf",
)  # fmt: skip


def in_a_cell(lines: list[str], chance: random.Random) -> list[str]:
    row = chance.randrange(len(lines))
    cells = lines[row].split(",")
    new = chance.choice(CELLS)
    cells[chance.randrange(len(cells))] = new if chance.random() < 0.5 else '"' + new.replace('"', '""') + '"'
    return [*lines[:row], ",".join(cells), *lines[row + 1 :]]


def in_a_line(lines: list[str], chance: random.Random) -> list[str]:
    row = chance.randrange(len(lines))
    kind = chance.randrange(7)
    if kind == 0:
        return [*lines[:row], *lines[row + 1 :]]
    if kind == 1:
        return [*lines[:row], lines[row], *lines[row:]]
    if kind == 2:
        return [*lines[:row], chance.choice(["", ",", "," * 22, "  ", '"', "#"]), *lines[row:]]
    if kind == 3:
        return [*lines[:row], lines[row] + chance.choice([",", ",x", '"', ";"]), *lines[row + 1 :]]
    if kind == 4:
        return [*lines[:row], lines[row][: chance.randrange(len(lines[row]) + 1)], *lines[row + 1 :]]
    if kind == 5:
        place = chance.randrange(23)
        return [",".join(cell for at, cell in enumerate(line.split(",")) if at != place) for line in lines]
    place = chance.randrange(23)
    return [",".join([*(cells := line.split(",")), cells[place % len(cells)]]) for line in lines]


def in_the_bytes(data: bytes, chance: random.Random) -> bytes:
    kind = chance.randrange(9)
    place = chance.randrange(len(data) + 1)
    whole: dict[int, Callable[[], bytes]] = {
        0: lambda: data[:place],
        1: lambda: data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :],
        2: lambda: data[:place] + chance.randbytes(chance.randrange(1, 9)) + data[place:],
        3: lambda: b"\xef\xbb\xbf" + data,
        4: lambda: data.replace(b"\n", chance.choice([b"\r\n", b"\r", b"\n\n", b"\n\r"])),
        5: lambda: data.replace(b",", chance.choice([b";", b"\t", b" ,"])),
        6: lambda: data.decode("utf-8", "replace").encode(chance.choice(["utf-16", "utf-16-le", "utf-32"]), "replace"),
        7: lambda: data[:place] + b"\x00" * chance.randrange(1, 40) + data[place:],
        8: lambda: b"sep=;\n" + data,
    }
    return whole[kind]()


def mutated(good: bytes, seed: int) -> bytes:
    """Mutate a manifest once to three times, in a cell, a line or the bytes."""
    chance = random.Random(seed)
    lines = good.decode().splitlines()
    for _ in range(chance.randrange(1, 4)):
        if lines:
            lines = chance.choice([in_a_cell, in_a_line])(lines, chance)
    data = ("\n".join(lines) + "\n").encode()
    return in_the_bytes(data, chance) if chance.random() < 0.4 else data


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of four pictures a label."""
    root = tmp_path_factory.mktemp("finished")
    project = small_project(root, recipe_text(write_folder(root / "photos", 4), per_class="max"))
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    return root


def commands(chance: random.Random) -> list[list[str]]:
    """Those that read the manifest, one of those that write by it last."""
    place = "manifests/small/manifest.csv"
    looking = [["verify"], ["report"], ["diff", place, "good.csv"], ["diff", "good.csv", place], ["replay", place]]
    looking += [["dedupe", "--against", "bad.csv", "--report-only"], ["status"], ["why", "http://h.example/1.jpg"]]
    form = chance.choice(["imagefolder", "keras", "webdataset", "parquet", "tfrecord", "croissant", "coco"])
    writing = [["export", form], ["split"], ["split", "--resplit"], ["forget", "host:h.example"], ["forget", "ab" * 32]]
    return [*chance.sample(looking, 4), chance.choice(writing)]


@pytest.mark.parametrize("seed", range(N_TRIES))
def test_no_command_ends_with_a_traceback(
    seed: int, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 0, 1 or 2, and then one paragraph."""
    root = tmp_path / "project"
    shutil.copytree(finished, root)
    monkeypatch.chdir(root)
    monkeypatch.delenv("CURATOR_RECIPE", raising=False)
    manifest = root / "manifests" / "small" / "manifest.csv"
    good = manifest.read_bytes()
    (root / "good.csv").write_bytes(good)
    bad = mutated(good, seed)
    (root / "bad.csv").write_bytes(bad)
    for command in commands(random.Random(seed)):
        manifest.write_bytes(bad)
        done = CliRunner().invoke(app, command)
        assert done.exception is None or isinstance(done.exception, SystemExit), (seed, command, repr(done.exception))
        assert done.exit_code in (0, 1, 2), (seed, command, done.output)
        if done.exit_code == 2:
            assert "error:" in done.output, (seed, command, done.output)
    assert not (root.parent / "etc").exists()
