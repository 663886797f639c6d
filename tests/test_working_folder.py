"""A data set that is open stays the same one when the process changes its folder, as ``%cd`` of a notebook does."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import curator
from curator.manifests.reviews import Review, append_review
from curator.report import build
from tests.small_worlds import picture

LABELS = ["rugby", "soccer"]
ELSEWHERE = {
    "push",
    "benchmark",
    "load_model",
    "predict",
    "evaluate",
    "to_tf",
    "to_torch",
    "to_hf",
    "suspects",
    "similar",
    "fold",
    "labels",
    "recipe",
    "paths",
}
"""What trains, wants an extra, folds or a hub, and what reads no file: the same paths go there."""

METHODS: dict[str, Callable[[curator.Dataset, Path], Any]] = {
    "plan": lambda small, photo: small.plan().counts["listed"] == 24,
    "forecast": lambda small, photo: small.forecast(4),
    "fetch": lambda small, photo: small.fetch().counts["kept"] == 24,
    "hosts": lambda small, photo: small.hosts() is not None,
    "dedupe": lambda small, photo: small.dedupe().counts["kept"] == 24,
    "duplicate_groups": lambda small, photo: small.duplicate_groups() == [],
    "balance": lambda small, photo: small.balance("max").counts["kept"] == 24,
    "split": lambda small, photo: len(small.split().table) == 24,
    "run": lambda small, photo: small.run(benchmark=False).split.skipped,
    "table": lambda small, photo: len(small.table) == 24,
    "manifest": lambda small, photo: len(small.manifest) == 24,
    "status": lambda small, photo: small.status().counts["kept"] == 24,
    "why": lambda small, photo: "rugby" in str(small.why(photo)[0].lines),
    "verify": lambda small, photo: small.verify().findings == (),
    "calibrate": lambda small, photo: small.calibrate(),
    "images": lambda small, photo: {one.size for one, _ in small.images()} == {(160, 120)},
    "export": lambda small, photo: small.export("imagefolder").path.is_relative_to(small.paths.folder),
    "mirror": lambda small, photo: small.mirror(photo.parents[2] / "backup").counts == {"written": 24},
    "gallery": lambda small, photo: small.gallery().is_absolute(),
    "report": lambda small, photo: small.report().is_file(),
    "serve_review": lambda small, photo: serves(small),
    "review_decisions": lambda small, photo: len(small.review_decisions()) == 1,
    "forget": lambda small, photo: small.forget(str(small.manifest["sha256"][0])),
    "_repr_html_": lambda small, photo: small._repr_html_().count("data:image/jpeg") > 4,
    "__repr__": lambda small, photo: "nothing fetched" not in repr(small),
    "name": lambda small, photo: small.name == "small",
}
"""Every method, in an order in which a person may call them: what it must be true of there."""


def serves(small: curator.Dataset) -> bool:
    """Decide one image as the page does, then stop it."""
    pytest.importorskip("starlette")
    seen: list[int] = []
    row = small.manifest.iloc[0]

    def announce(address: str, n_images: int) -> None:
        append_review(small.paths.reviews, Review("2026-01-02T03:04:05Z", "ann", row["sha256"], row["label"], "keep"))
        seen.append(n_images)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small.serve_review("ann", announce)
    return seen == [24]


def files_below(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}


def beginning(place: Path, first: int) -> Path:
    """Nine pictures a label in a folder, three in a table, all with the same relative names whatever is ``first``."""
    for label in LABELS:
        for n in range(12):
            path = place / ("photos" if n < 9 else "listed") / label / f"{n:03d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture(first + 100 * LABELS.index(label) + n).save(path, quality=90)
    rows = [f"listed/{label}/{n:03d}.jpg,{label}" for label in LABELS for n in range(9, 12)]
    (place / "list.csv").write_text("\n".join(["path,label", *rows]))
    return place


def test_every_method_works_on_the_data_set_that_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sources, a folder and a table, have relative paths that mean others in the folder that it is called in."""
    mine, theirs = beginning(tmp_path / "mine", 0), beginning(tmp_path / "theirs", 5000)
    monkeypatch.delenv("CURATOR_RECIPE", raising=False)
    monkeypatch.setattr(build, "draw_plots", lambda facts: True)  # they take six seconds
    sources = [{"kind": "folder", "path": "photos"}, {"kind": "url-list", "path": "list.csv"}]
    for place in (theirs, mine):
        monkeypatch.chdir(place)
        small = curator.create("small", labels=LABELS, sources=sources)
        if place == theirs:
            small.run(benchmark=False)
    monkeypatch.chdir(theirs)
    before = files_below(theirs)
    public = {name for name, _ in inspect.getmembers(curator.Dataset) if not name.startswith("_")}
    assert public - METHODS.keys() == ELSEWHERE
    for name, act in METHODS.items():
        assert act(small, mine / "photos" / "rugby" / "003.jpg"), name
    assert files_below(theirs) == before
    monkeypatch.chdir(mine)
    assert curator.open().status().counts["listed"] == 24
