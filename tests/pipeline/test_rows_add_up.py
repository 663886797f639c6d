"""What is listed adds up: equal names in two folders are two images, and what is listed twice is counted and said."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import pytest

from curator.events import Event, Noted, SourceListed
from curator.manifests.project import Project
from curator.pipeline.acquire import AcquireOptions, plan_listing
from tests.small_worlds import picture, small_project

LABELS = ("rugby", "soccer")


def photographs(folder: Path, names: tuple[str, ...] = ("0.jpg", "1.jpg"), seed: int = 0) -> Path:
    """Write files of these names under each label, unlike those of another seed."""
    for number, label in enumerate(LABELS):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for n, name in enumerate(names):
            picture(seed + 100 * number + n).save(folder / label / name, format="JPEG")
    return folder


def source(path: str, name: str = "", kind: str = "folder") -> str:
    return f'[[sources]]\nkind = "{kind}"\npath = "{path}"\n' + (f'name = "{name}"\n' if name else "")


def listing(root: Path, *sources: str) -> tuple[dict[str, str], list[Event]]:
    """List all; give the record id of each file (below ``root``) or address, and the events."""
    heard: list[Event] = []
    made = small_project(root, f'name = "small"\nlabels = ["rugby", "soccer"]\n{"".join(sources)}')
    table = plan_listing(Project(made.recipe, made.paths, heard.append), AcquireOptions(everything=True)).table
    places = table["local_path"].fillna(table["url"])
    names = [
        f"{label} {str(place).removeprefix(str(root.resolve()))}"
        for label, place in zip(table["label"], places, strict=True)
    ]
    assert len(set(names)) == len(names)
    assert len(set(table["record_id"])) == len(table)
    return dict(zip(names, table["record_id"], strict=True)), heard


def counted(heard: list[Event]) -> tuple[int, list[str]]:
    """How many rows the sources listed, and what was said of the same ones."""
    listed = sum(sum(event.n_images.values()) for event in heard if isinstance(event, SourceListed))
    return listed, [
        str(event.message) for event in heard if isinstance(event, Noted) and "already" in str(event.message)
    ]


def test_equal_names_in_two_folders_are_two_images(tmp_path: Path) -> None:
    """`train/rugby/0.jpg` and `val/rugby/0.jpg`: none is lost, without a `name` too."""
    photographs(tmp_path / "manifests" / "small" / "train")
    photographs(tmp_path / "manifests" / "small" / "val", seed=1000)
    found, heard = listing(tmp_path, source("train"), source("val"))
    assert len(found) == 8
    assert counted(heard) == (8, [])


def test_a_further_source_changes_no_id_of_those_before(tmp_path: Path) -> None:
    """Nor does its order, if the sources have names; nor the place of the project on the machine."""
    for number, name in enumerate(("a", "b", "c")):
        photographs(tmp_path / "one" / "manifests" / "small" / name, seed=1000 * number)
    first, _ = listing(tmp_path / "one", source("a"))
    both, _ = listing(tmp_path / "one", source("a"), source("b"))
    named, _ = listing(tmp_path / "one", source("a"), source("b", "b"), source("c", "c"))
    turned, _ = listing(tmp_path / "one", source("c", "c"), source("b", "b"), source("a"))
    assert first.items() <= both.items()
    assert first.items() <= named.items()
    assert named == turned
    shutil.copytree(tmp_path / "one", tmp_path / "elsewhere" / "two")
    assert listing(tmp_path / "elsewhere" / "two", source("a"), source("b"))[0] == both


def test_the_ids_of_an_only_folder_are_what_they_were(tmp_path: Path) -> None:
    """Data sets that exist keep their rows."""
    photographs(tmp_path / "manifests" / "small" / "photos", ("0.jpg",))
    found, _ = listing(tmp_path, source("photos"))
    assert sorted(found.values()) == ["folder-0b9917cbf34cb358", "folder-1bae8a8550fd4818"]


@pytest.mark.parametrize("names", [("x", "x"), ("", ""), ("x", "")])
def test_sources_of_one_name_are_told_apart_too(names: tuple[str, str], tmp_path: Path) -> None:
    """Whatever they are called."""
    photographs(tmp_path / "manifests" / "small" / "a")
    photographs(tmp_path / "manifests" / "small" / "b", seed=1000)
    photographs(tmp_path / "manifests" / "small" / "c", seed=2000)
    found, heard = listing(tmp_path, source("a", names[0]), source("b", names[1]), source("c", names[1]))
    assert len(found) == 12
    assert counted(heard) == (12, [])


def test_names_that_differ_little_are_different_files(tmp_path: Path) -> None:
    """Upper and lower case, composed and decomposed letters, line ends."""
    names = (
        "A.jpg",
        "a.jpg",
        *(unicodedata.normalize(form, "\u00e9.jpg") for form in ("NFC", "NFD")),
        "a\nb.jpg",
        "a b.jpg",
    )
    folder = photographs(tmp_path / "manifests" / "small" / "photos", names)
    n_files = len(list(folder.glob("rugby/*")))  # fewer on a file system that folds names
    found, heard = listing(tmp_path, source("photos"))
    assert len(found) == 2 * n_files
    assert counted(heard) == (2 * n_files, [])


def test_one_address_in_two_lists_is_listed_once_and_said(tmp_path: Path) -> None:
    """Rows in = rows listed + rows that name the same image, in the list itself or in one before it."""
    folder = tmp_path / "manifests" / "small"
    folder.mkdir(parents=True)
    web = "http://h.example/{}.jpg,{}\n".format
    (folder / "one.csv").write_text(
        "url,label\n" + web(1, "rugby") + web(2, "rugby") + web(1, "rugby") + web(3, "soccer")
    )
    (folder / "two.csv").write_text("url,label\n" + web(1, "rugby") + web(3, "rugby") + web(4, "soccer"))
    found, heard = listing(tmp_path, source("one.csv", "one", "url-list"), source("two.csv", "two", "url-list"))
    assert len(found) == 5  # picture 3 under two labels is two rows until dedupe decides
    listed, said = counted(heard)
    assert listed == 6
    assert said == [
        "one: 1 row names an image that is listed under the same label already (1 in it); each is listed once",
        "two: 1 row names an image that is listed under the same label already (1 before it); each is listed once",
    ]
