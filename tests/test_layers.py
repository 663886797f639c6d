"""Imports go one way; the heavy ones wait until a command needs them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "curator"

# From the bottom up: what is in one line may import only what is in a line above it, and nothing of its own line.
# docs/architecture.md shows the same order as a picture.
LAYERS = (
    ("addresses", "reasons", "text"),
    ("catalog", "errors", "events"),
    ("matching", "store", "engine", "progress"),
    ("observe", "manifests"),
    ("embed", "decide"),
    ("benchmark", "fetch"),
    ("sources", "report", "export"),
    ("pipeline", "survey"),
    ("inspect", "demo", "review"),
    ("dataset",),
    ("cli",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names} | {"__init__": 9, "__main__": 11}
MOST_ENTRIES = 28
KERAS = {"keras", "tensorflow", "torch", "jax", "onnxruntime", "openvino"}
# What may be imported inside a function: by the command line and the API for a quick start, else optional packages.
LATE_IMPORTERS = (
    "__init__.py",
    "dataset.py",
    "cli/",
    "manifests/group_pattern.py",
    "inspect/pictures.py",
    "inspect/view.py",
    "inspect/stage_status.py",
    "inspect/trained.py",
    "pipeline/sharing.py",
    "progress.py",
    "pipeline/acquire.py",
    "pipeline/stages.py",
    "benchmark/",
    "report/",
    "review/start_review.py",
    "fetch/cluster/",
    "fetch/fetch_images.py",
    "observe/openers.py",
    "sources/url_list/workbook.py",
)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each imported module and whether the import is for type checkers only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in typing_only) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((f"{node.module}.{alias.name}", id(node) in typing_only) for alias in node.names)


def test_the_house_is_small_enough_to_remember() -> None:
    """At most 28 entries stand at the top, on at most 11 ranks."""
    entries = {path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert len(entries) <= MOST_ENTRIES
    assert len(LAYERS) <= 11


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_and_its_functions_are_short(path: Path) -> None:
    """Files end within 300 lines, functions within 40, docstrings included."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    assert not [one.name for one in functions if (one.end_lineno or 0) - one.lineno >= 40]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    """A module imports only from its own folder and from folders of a lower rank."""
    own = part_of(path)
    assert own in RANK, f"{own} has no rank: give it one in tests/test_layers.py"
    for name, typing_only in imports(path):
        if not name.startswith("curator.") or typing_only:
            continue
        target = name.split(".")[1]
        if target not in (own, "__version__"):
            assert target in RANK, f"{path.name} imports {name}, which has no rank"
            assert RANK[target] < RANK[own], f"{path.name} of {own} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_benchmark_imports_a_learning_framework(path: Path) -> None:
    """Keras and its kin stay in curator/benchmark, and in what hands a data set over to them."""
    found = {name.split(".")[0] for name, _ in imports(path)} & KERAS
    assert not found or path.relative_to(PACKAGE).as_posix().startswith(("benchmark/", "export/loaders/"))


def test_the_benchmark_never_imports_the_fetch() -> None:
    """Training needs no network."""
    names = {name for path in (PACKAGE / "benchmark").rglob("*.py") for name, _ in imports(path)}
    assert not {name for name in names if name.startswith("curator.fetch")}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_stand_at_the_top(path: Path) -> None:
    """Only the command line, optional packages and pandas, which a fetch need not import, wait inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = [
        child.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for child in ast.walk(node)
        if isinstance(child, ast.Import | ast.ImportFrom) and "pandas" not in ast.dump(child)
    ]
    assert not inner or path.relative_to(PACKAGE).as_posix().startswith(LATE_IMPORTERS), f"lines {inner}"


def packages_graph() -> dict[str, set[str]]:
    """Map each module to the modules of curator that it imports."""
    names = {path: ".".join(("curator", *path.relative_to(PACKAGE).with_suffix("").parts)) for path in modules()}
    known = {name.removesuffix(".__init__") for name in names.values()}
    graph: dict[str, set[str]] = {}
    for path, name in names.items():
        targets = set()
        for target, typing_only in imports(path):
            if typing_only or not target.startswith("curator"):
                continue
            targets.add(target if target in known else target.rpartition(".")[0])
        graph[name.removesuffix(".__init__")] = targets & known
    return graph


def test_there_is_no_import_cycle() -> None:
    """The modules can be put in an order in which each imports only earlier ones."""
    graph = {name: targets - {name} for name, targets in packages_graph().items()}
    while ready := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for name in ready:
            del graph[name]
    cycles = {name: sorted(targets & graph.keys()) for name, targets in graph.items()}
    assert not cycles


def loaded_by(module: str) -> set[str]:
    """Name all modules that stand in a fresh Python once one is imported."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_help_waits_for_no_heavy_import() -> None:
    """``curator --help`` starts without pandas, NumPy, OpenCV or curl."""
    heavy = {"pandas", "numpy", "cv2", "pyarrow", "pycurl", "requests", "PIL", "keras"}
    assert not loaded_by("curator.cli.app") & heavy


def test_a_fetch_waits_for_no_report_export_or_list_client() -> None:
    """``curator fetch`` starts without what only other commands, or lists on a server, need."""
    late = {"curator.report", "curator.export", "curator.benchmark", "requests", "keras"}
    assert not loaded_by("curator.pipeline.run_stages") & late
