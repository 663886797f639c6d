"""Write anew what is fixed: every version that this was developed with, with hashes, and the wheel's bill of materials.

Both come from one resolution by uv, for every platform and Python that is supported. Hosts of registries are left out,
so that any mirror will do, and so are times and random numbers: nothing changes but what has changed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOCK, BILL = HERE / "requirements-dev.lock", HERE / "sbom.cdx.json"
NOT_SHIPPED = {"dev", "docs"}
"""Extras that nobody needs who only uses the package."""


def main() -> None:
    """Resolve in a copy of the project, export twice, and keep what is to be kept."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            (copy / name).write_bytes((HERE.parent / name).read_bytes())
        (copy / "curator").mkdir()
        (copy / "curator" / "__init__.py").write_bytes((HERE.parent / "curator" / "__init__.py").read_bytes())
        run(copy, "lock")
        project = tomllib.loads((copy / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = sorted(project["optional-dependencies"].keys() - NOT_SHIPPED)
        shipped = [word for extra in extras for word in ("--extra", extra)]
        lock = run(copy, "export", "--frozen", "--all-extras", "--no-emit-project", "--no-header", "--no-annotate")
        bill = run(copy, "export", "--frozen", "--format=cyclonedx1.5", "--preview-features=sbom-export", *shipped)
    if found := re.search(r"^(?!\s*--hash=).*(?:://|--index|--find).*$", lock, re.MULTILINE):
        raise SystemExit(f"The lock would name where a package is from: {found[0]}")
    LOCK.write_text("# Made by `make lock`; installed by `make locked`.\n" + lock, encoding="utf-8")
    BILL.write_text(json.dumps(plain(json.loads(bill)), indent=1) + "\n", encoding="utf-8")


def run(folder: Path, *words: str) -> str:
    """Run uv in a folder; return what it prints."""
    command = [sys.executable, "-m", "uv", "--quiet", *words]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def plain(bill: dict[str, Any]) -> dict[str, Any]:
    """Leave out where files lie, and what differs from run to run."""
    kept = {name: value for name, value in bill.items() if name != "serialNumber"}
    kept["metadata"] = {name: value for name, value in bill["metadata"].items() if name != "timestamp"}
    left_out = ("externalReferences", "hashes")
    kept["components"] = [{name: one[name] for name in one if name not in left_out} for one in bill["components"]]
    return kept


if __name__ == "__main__":
    main()
