"""The example of docs/library.md runs as it stands, and finds what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.small_worlds import picture

PAGE = Path(__file__).parents[1] / "docs" / "library.md"


def test_the_example_prints_the_pair_of_copies(tmp_path):
    """A picture, a smaller copy of it and another picture: one pair, its hashes and its distance."""
    folder = tmp_path / "photos" / "deep"
    folder.mkdir(parents=True)
    picture(1, (200, 150)).save(folder / "one.jpg", quality=95)
    picture(1, (200, 150)).resize((120, 90)).save(folder / "smaller.jpg", quality=60)
    picture(2, (200, 150)).save(folder / "other.jpg")
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    code = f"{example}\nprint(len(files), len(hashes), len(pairs) + len(hashes) - len(distinct.values))\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *pairs, counts = done.stdout.splitlines()
    assert counts == "3 3 1"
    assert all(re.fullmatch(r"\['[0-9a-f]{16}', '[0-9a-f]{16}'\] [1-8]", line) for line in pairs)


def test_each_function_of_the_table_exists():
    """What the table names can be imported from where it says."""
    names = re.findall(r"^\| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    dotted = [re.split(r"\(", name)[0] for row in names for name in re.findall(r"`((?:observe|decide)\.[^`]+)`", row)]
    assert len(dotted) >= 10
    code = "import curator.observe, curator.matching.hamming\n" + "\n".join(f"curator.{name}" for name in dotted)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
