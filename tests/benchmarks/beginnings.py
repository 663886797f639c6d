"""Count keystrokes and seconds from a fresh clone to train/ and test/ of real photographs, by the README's commands.

    python tests/benchmarks/beginnings.py [--photos DIR] [--venv DIR]

The commands are read from the README: the clone line, and all of its section on your own photos. They are typed into
one shell, in a temporary folder that is the home of the person who types, with a copy of the photographs as
``birds/photos``. Every character counts, and Enter; nothing is completed or pasted. With ``--venv`` that environment is
used in the place of what ``make install`` makes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PHOTOS = ROOT.parent / "shared" / "photos" / "balls"
SECTION = "## Your own photos"
_DONE = "__done__"


@dataclass(frozen=True)
class Step:
    """One command that was typed."""

    command: str
    seconds: float
    output: str
    exit_code: int


def readme_commands(text: str) -> list[str]:
    """Return the clone line and the commands of the section on your own photos, without their comments."""
    consoles = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    clone = [line for block in consoles for line in block.splitlines() if line.startswith("$ git clone")][:1]
    section = text.split(SECTION)[1].split("\n## ")[0]
    own = re.findall(r"```console\n(.*?)```", section, re.DOTALL)[0].splitlines()
    return [line.removeprefix("$ ").partition("  #")[0].rstrip() for line in [*clone, *own] if line.startswith("$ ")]


def typed(commands: Iterable[str], folder: Path, environment: Mapping[str, str]) -> list[Step]:
    """Type the commands into one shell; stop at the first that fails."""
    shell = subprocess.Popen(
        ["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert shell.stdin and shell.stdout
    steps: list[Step] = []
    with shell:
        for command in commands:
            begun, lines = time.monotonic(), []
            shell.stdin.write(f"{command}\necho; echo {_DONE} $?\n")
            shell.stdin.flush()
            while not (line := shell.stdout.readline()).startswith(_DONE):
                lines.append(line)
            steps.append(Step(command, time.monotonic() - begun, "".join(lines).rstrip(), int(line.split()[1])))
            if steps[-1].exit_code:
                break
    return steps


def count_files(place: Path) -> Counter[str]:
    """Count the files by the folder that they are in."""
    return Counter(path.parent.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())


def main() -> int:
    """Run it and print both numbers; 1 if it did not end in train and test."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--photos", type=Path, default=PHOTOS, help="a folder of labels; default: ../shared/photos/balls"
    )
    parser.add_argument(
        "--venv", type=Path, help="an environment with curator's packages, in the place of `make install`"
    )
    options = parser.parse_args()
    if not options.photos.is_dir():
        print(f"There is no folder {options.photos}: name one of DIR/<label>/… with PHOTOS=DIR.", file=sys.stderr)
        return 2
    shown = readme_commands((ROOT / "README.md").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as home:
        birds = Path(home) / "birds"
        shutil.copytree(options.photos, birds / "photos")
        environment = {"HOME": home} | ({"PYTHONPATH": f"{home}/curator"} if options.venv else {})
        commands = [_with(command.replace("ADDRESS", str(ROOT)), options.venv) for command in shown]
        steps = typed(commands, Path(home), environment)
        n_photos, counts = sum(count_files(birds / "photos").values()), count_files(birds / "data" / "mine")
    keys = [len(command) + 1 for command in shown]
    for command, n, step in zip(shown, keys, steps, strict=False):
        print(f"{n:4d} keystrokes  {step.seconds:7.1f} s  {command}")
    print(f"{sum(keys):4d} keystrokes  {sum(step.seconds for step in steps):7.1f} s  in all")
    print(f"environment: {options.venv or 'made by make install'}; {n_photos:,} photographs of {options.photos.name}")
    sides = {name: n for name, n in sorted(counts.items()) if name.startswith(("train/", "test/"))}
    print(", ".join(f"{name} {n}" for name, n in sides.items()) or steps[-1].output)
    return 0 if sides and not steps[-1].exit_code else 1


def _with(command: str, venv: Path | None) -> str:
    """Use another environment in the place of the one that the command makes."""
    return f". {venv.resolve()}/bin/activate" if venv and "activate" in command else command


if __name__ == "__main__":
    sys.exit(main())
