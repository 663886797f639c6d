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
    """From a folder of pictures to train and test, with the counts printed; run again, it opens what is there."""
    write_folder(tmp_path / "photos", 10, ("heron", "stork"))
    for _ in range(2):
        (counts,) = run_example(0, tmp_path)
        assert counts.startswith("{'listed': 20, 'kept': 20, 'dropped': {}} {}")
    assert run_example(1, tmp_path, "print(waders)") == run_example(1, tmp_path, "print(waders)")
    assert len(list((tmp_path / "data" / "birds" / "train" / "heron").iterdir())) == 8


def test_the_hashing_example_prints_every_pair_of_copies(tmp_path: Path) -> None:
    """Three files of equal hashes, smaller copies, and others: the pairs are those of brute force, no file is lost."""
    folder = tmp_path / "photos" / "deep"
    folder.mkdir(parents=True)
    for seed in range(4):
        picture(seed, (200, 150)).save(folder / f"{seed}.jpg", quality=95)
        picture(seed, (200, 150)).resize((90, 60)).save(folder / f"{seed}-smaller.jpg", quality=30)
    for name, of in (("0-again", "0"), ("0-once-more", "0"), ("1-smaller-again", "1-smaller")):
        (folder / f"{name}.jpg").write_bytes((folder / f"{of}.jpg").read_bytes())
    brute_force = """
for (a, x), (b, y) in combinations(zip(files, hashes.tolist()), 2):
    if (x ^ y).bit_count() <= 8:
        print("expected", (x ^ y).bit_count(), a, b)
"""
    lines = run_example(2, tmp_path, brute_force)
    found = [(int(bits), *sorted(files)) for bits, *files in (line.split() for line in lines if line[0] != "e")]
    expected = [(int(bits), *sorted(files)) for _, bits, *files in (line.split() for line in lines if line[0] == "e")]
    assert sorted(found) == sorted(expected)
    assert sum(bits == 0 for bits, *_ in found) >= 4 and len(found) >= 9


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
