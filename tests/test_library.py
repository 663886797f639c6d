"""docs/library.md: its examples run as they are, and it names everything that the API has."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from curator.dataset import Dataset
from tests.small_worlds import picture, write_folder

PAGE = (Path(__file__).parents[1] / "docs" / "library.md").read_text(encoding="utf-8")
MODULES = (
    "observe.observation",
    "matching.perceptual_hash",
    "matching.hamming",
    "matching.pictures",
    "matching.copies",
)


def run_example(number: int, place: Path, more: str = "") -> list[str]:
    """Run one of the page's Python examples in a folder and return the lines that it prints."""
    example = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[number]
    code = f"{example}\n{more}\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_first_example_makes_a_data_set(tmp_path: Path) -> None:
    """From a folder of pictures to train and test, with the counts printed."""
    write_folder(tmp_path / "photos", 10, ("heron", "stork"))
    (counts,) = run_example(0, tmp_path)
    assert counts.startswith("{'listed': 20, 'kept': 20, 'dropped': {}} {}")
    assert len(list((tmp_path / "data" / "birds" / "train" / "heron").iterdir())) == 8


def test_the_hashing_example_prints_the_pair_of_copies(tmp_path: Path) -> None:
    """A picture, a smaller copy of it and another picture: one pair, its hashes and its distance."""
    folder = tmp_path / "photos" / "deep"
    folder.mkdir(parents=True)
    picture(1, (200, 150)).save(folder / "one.jpg", quality=95)
    picture(1, (200, 150)).resize((120, 90)).save(folder / "smaller.jpg", quality=60)
    picture(2, (200, 150)).save(folder / "other.jpg")
    counting = "print(len(files), len(hashes), len(pairs) + len(hashes) - len(distinct.values))"
    *pairs, counts = run_example(1, tmp_path, counting)
    assert counts == "3 3 1"
    assert all(re.fullmatch(r"\['[0-9a-f]{16}', '[0-9a-f]{16}'\] [1-8]", line) for line in pairs)


def test_each_function_of_the_hashing_table_exists() -> None:
    """What the table names is in one of the modules that it names."""
    rows = re.findall(r"^\| (.+?) \|", PAGE.split("## Hashes and the search alone")[1], re.MULTILINE)
    names = [re.split(r"\(", name)[0].split(".") for row in rows for name in re.findall(r"`([^`]+)`", row)]
    found = [importlib.import_module(f"curator.{module}") for module in MODULES]
    assert len(names) >= 14
    for *_, name in names:
        assert any(hasattr(module, name) or hasattr(getattr(module, "Pictures", None), name) for module in found), name


@pytest.mark.parametrize("name", sorted(name for name in dir(Dataset) if not name.startswith("_")))
def test_each_public_name_of_a_data_set_is_documented(name: str) -> None:
    """docs/library.md has each method and property in its table; the properties of the recipe need no row."""
    if name not in ("name", "labels", "recipe", "paths"):
        assert re.search(rf"`{name}[`(]", PAGE), f"{name} is not in docs/library.md"
        assert getattr(Dataset, name).__doc__
