"""What is installed is bounded, fixed for development, and listed in the wheel."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCK = (ROOT / "supply" / "requirements-dev.lock").read_text(encoding="utf-8")
BILL = json.loads((ROOT / "supply" / "sbom.cdx.json").read_text(encoding="utf-8"))
HASHES = r"(?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+"
LOCKED = re.findall(rf"^([a-z0-9._-]+)==(\S+)(?: ;.*?)? \\\n{HASHES}", LOCK, re.MULTILINE)
UNBOUNDED = {"certifi", "pillow", "pillow-heif", "pillow-jxl-plugin", "pyarrow"}
"""Of what decodes pictures or holds certificates the newest version alone is mended; Arrow's is a date."""


def requirements(extras: list[str]) -> list[Requirement]:
    return [Requirement(line) for line in [*PROJECT["dependencies"], *(line for e in extras for line in EXTRAS[e])]]


def test_a_major_version_that_breaks_is_not_installed() -> None:
    """But for what is named above and the tests' own needs, each requirement has a bound above."""
    shipped = requirements([extra for extra in EXTRAS if extra != "dev"])
    unbounded = {canonicalize_name(one.name) for one in shipped if "<" not in {s.operator for s in one.specifier}}
    assert unbounded == UNBOUNDED


def test_the_lock_satisfies_every_requirement() -> None:
    """`make lock` is to be run again after a change; all lines have hashes, and none says where a package is from."""
    assert len(LOCKED) == len(re.findall(r"^[a-z0-9]", LOCK, re.M)) > 100
    versions: dict[str, list[str]] = {}
    for name, version in LOCKED:
        versions.setdefault(name, []).append(version)
    wrong = [
        f"{one} (locked: {versions.get(canonicalize_name(one.name))})"
        for one in requirements([*EXTRAS])
        if not any(one.specifier.contains(version) for version in versions.get(canonicalize_name(one.name), ()))
    ]
    assert not wrong, "run `make lock`"
    for text in (LOCK, json.dumps(BILL)):
        assert "://" not in text


def test_the_bill_lists_what_the_package_needs() -> None:
    """With versions of the lock and package URLs, for the package and every extra but those for developing it."""
    listed = {(one["name"], one["version"]): one["purl"] for one in BILL["components"]}
    assert listed.keys() <= {(name, version) for name, version in LOCKED}
    assert all(purl == f"pkg:pypi/{name}@{version}" for (name, version), purl in listed.items())
    needed = {canonicalize_name(one.name) for one in requirements([e for e in EXTRAS if e not in ("dev", "docs")])}
    assert needed <= {name for name, _ in listed}
    assert (BILL["bomFormat"], BILL["metadata"]["component"]["name"]) == ("CycloneDX", PROJECT["name"])
    known = {BILL["metadata"]["component"]["bom-ref"], *(one["bom-ref"] for one in BILL["components"])}
    assert {name for one in BILL["dependencies"] for name in (one["ref"], *one.get("dependsOn", ()))} <= known


def test_the_wheel_holds_its_bill_of_materials(tmp_path: Path) -> None:
    """Where PEP 770 puts it; and the index of classes, small, with its licences. Built offline."""
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if "/sboms/" in name)
        assert re.fullmatch(r"imageset_curator-[^/]*\.dist-info/sboms/sbom\.cdx\.json", name)
        assert json.loads(archive.read(name)) == BILL
        assert archive.getinfo("curator/sources/class_index/classes.txt.gz").file_size < 2_000_000
        licences = archive.read("curator/sources/class_index/LICENCES.txt").decode()
        assert "WordNet 3.0 Copyright 2006 by Princeton University" in licences and "CC BY 4.0" in licences
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        assert "License-File: curator/sources/class_index/LICENCES.txt" in archive.read(metadata).decode()


@pytest.mark.parametrize(
    ("packages", "said", "code"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], "1 packages audited, 0 vulnerabilities", 0),
        (
            [{"name": "a", "skip_reason": "not found"}],
            "skipped: the database knows none of the 1 packages (not found)",
            0,
        ),
        (
            [
                {"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]},
                {"name": "b", "skip_reason": "?"},
            ],
            "a 1: CVE-1, mended in 2\n1 packages audited, 1 vulnerabilities; not known to it: b",
            1,
        ),
    ],
)
def test_an_audit_that_saw_nothing_does_not_say_that_all_is_well(packages, said, code, capsys) -> None:
    """What the database does not know is named, and a known vulnerability fails the target."""
    script = ROOT / "supply" / "audit.py"
    names = {"__name__": "audit", "__file__": str(script)}
    exec(compile(script.read_text(encoding="utf-8"), script, "exec"), names)
    assert names["report"](packages) == code
    assert capsys.readouterr().out.strip() == said
