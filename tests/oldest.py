"""Print the oldest version of each package that pyproject.toml allows, as constraints for `make test-oldest`.

>>> oldest("pandas>=2.2.2,<4; sys_platform == 'linux'"), oldest("certifi")
('pandas==2.2.2', '')
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

EXTRAS = ("embed", "review", "xlsx")
"""The extras that are tested with their oldest versions, too; training is not: its packages are large."""

_LOWER = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?[^;]*?>=\s*([0-9][^,; ]*)")


def oldest(requirement: str) -> str:
    """Return the constraint that takes the lower bound of a requirement; nothing if it has none."""
    found = _LOWER.match(requirement)
    return f"{found[1]}=={found[2]}" if found else ""


def constraints(pyproject: Path) -> Iterator[str]:
    """Yield the constraints of all that is tested.

    Raises:
        ValueError: a requirement has no lower bound, so that nobody knows what it allows.
    """
    project = tomllib.loads(pyproject.read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for name in EXTRAS for one in project["optional-dependencies"][name])]
    for requirement in wanted:
        if not (line := oldest(requirement)):
            raise ValueError(f"{requirement} has no lower bound")
        yield line


if __name__ == "__main__":
    sys.stdout.write("\n".join(constraints(Path(__file__).parents[1] / "pyproject.toml")) + "\n")
