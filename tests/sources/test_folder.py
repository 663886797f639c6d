"""Folders of images that are here already."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from curator.errors import SourceError
from curator.manifests.labels import LabelFinder
from curator.sources.folder.folder_source import Folder

PHOTOS = Path(__file__).parents[2] / "../shared/photos/balls"
ID = "000a1249af2bc5f0"


def put(root: Path, *names: str) -> None:
    """Make small files."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"bytes")


def list_all(settings, context):
    """List all labels."""
    return settings.list_images(0, context.labels, context)


def test_sub_folders_are_labels(tmp_path, context, told):
    """Every file below a label's folder, in order, named by its path; hidden and other folders are told or left out."""
    put(tmp_path / "f", "rugby/b.jpg", "rugby/a/x y.PNG", "soccer/notes.txt", "rugby/.hidden.jpg", ".git/rugby/c.jpg")
    put(tmp_path / "f", "cricket/a.jpg", "loose.jpg")
    rows = list_all(Folder(path="f"), context)
    assert rows["source_id"].tolist() == ["rugby/b.jpg", "rugby/a/x y.PNG", "soccer/notes.txt"]
    assert rows["local_path"].tolist() == [str(tmp_path / "f" / name) for name in rows["source_id"]]
    assert rows["url"].isna().all()
    assert "left out what is no label's: cricket 1, loose.jpg 1" in told()


def test_links_do_not_lead_out_of_the_folder(tmp_path, context, told):
    """A link to a file elsewhere, or to a folder, is not followed; one within the folder is a file."""
    put(tmp_path, "secret.jpg", "f/rugby/a.jpg", "elsewhere/b.jpg")
    (tmp_path / "f/rugby/out.jpg").symlink_to(tmp_path / "secret.jpg")
    (tmp_path / "f/rugby/in.jpg").symlink_to(tmp_path / "f/rugby/a.jpg")
    (tmp_path / "f/soccer").symlink_to(tmp_path / "elsewhere")
    rows = list_all(Folder(path="f"), context)
    assert rows["source_id"].tolist() == ["rugby/a.jpg", "rugby/in.jpg"]
    assert "2 links that lead out of the folder" in told()


def test_names_that_are_no_text_are_left_out_and_told(tmp_path, context, told):
    """A file name in another encoding cannot stand in a table; the others are listed."""
    put(tmp_path / "f", "rugby/a.jpg")
    try:
        Path(os.fsdecode(os.fsencode(tmp_path / "f/rugby") + b"/caf\xe9.jpg")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert list_all(Folder(path="f"), context)["source_id"].tolist() == ["rugby/a.jpg"]
    assert "1 file or folder whose name is not UTF-8" in told()


@pytest.mark.parametrize(
    ("files", "classes"),
    [
        ((f"rugby ball/images/{ID}.jpg", "soccer/images/x.jpg"), {"rugby": ("Rugby Ball",), "soccer": ("Soccer",)}),
        (
            (f"OID/Dataset/train/Rugby_ball/{ID}.jpg", f"OID/Dataset/train/Rugby_ball/Label/{ID}.txt"),
            {"rugby": ("rugby ball",)},
        ),
        ((f"OID/Dataset/test/Rugby/{ID.upper()}.jpg", f"OID/Dataset/test/Cricket ball/{ID}.jpg"), None),
    ],
)
def test_downloads_of_open_images_give_back_their_ids(tmp_path, context, told, files, classes):
    """The openimages package's and the OIDv4 toolkit's layouts; case, spaces and underscores do not matter."""
    put(tmp_path / "f", *files)
    rows = list_all(Folder(path="f", layout="openimages", classes=classes), context)
    assert rows["source_id"].tolist() == [ID]
    assert rows["label"].tolist() == ["rugby"]
    assert rows["local_path"].tolist() == [str(tmp_path / "f" / files[0])]
    assert "left out" in told()


def test_an_image_that_two_subsets_hold_is_one_row_a_side(tmp_path, context):
    """The id is the key, not the path; on two sides it is a leak, which listing does not hide."""
    put(tmp_path / "f", *(f"OID/{subset}/Rugby/{ID}.jpg" for subset in ("one", "two")))
    assert len(list_all(Folder(path="f", layout="openimages"), context)) == 1
    put(tmp_path / "g", *(f"OID/Dataset/{subset}/Rugby/{ID}.jpg" for subset in ("train", "test")))
    rows = list_all(Folder(path="g", layout="openimages"), context)
    assert sorted(rows["listed_split"]) == ["test", "train"]


def test_a_folder_without_a_label_is_an_error(tmp_path, context):
    """Nothing for any label is never an empty success; the error says what is there."""
    put(tmp_path / "f", "Tennis/a.jpg")
    with pytest.raises(SourceError, match="has no file for rugby, soccer; it holds Tennis"):
        list_all(Folder(path="f"), context)
    with pytest.raises(SourceError, match="does not exist"):
        list_all(Folder(path="missing"), context)


def test_folders_are_named_as_people_name_them(tmp_path, context, told):
    """Case, _ and - make no difference; a table of labels, or of classes, says what else means a label."""
    put(tmp_path / "f", "Rugby/a.jpg", "SOCCER/b.jpg", "n0001-Soccer/c.jpg", "Golden_Retriever/d.jpg", "tennis/e.jpg")
    finder = LabelFinder({"rugby": (), "soccer": ("n0001*",), "Golden Retriever": ()})
    wide = replace(context, labels=("rugby", "soccer", "Golden Retriever"), label_names=finder)
    rows = list_all(Folder(path="f"), wide)
    assert sorted(rows["label"]) == ["Golden Retriever", "rugby", "soccer", "soccer"]
    assert "tennis 1" in told()
    classes = {"rugby": ("tennis",), "soccer": ("n0001*",)}
    rows = list_all(Folder(path="f", classes=classes), context)
    assert sorted(zip(rows["label"], rows["source_id"], strict=True)) == [
        ("rugby", "Rugby/a.jpg"),
        ("rugby", "tennis/e.jpg"),
        ("soccer", "SOCCER/b.jpg"),
        ("soccer", "n0001-Soccer/c.jpg"),
    ]


def test_the_recipe_is_checked(tmp_path):
    """Another scheme, an address, classes of an unknown label or of two labels are reported together."""
    classes = {"rugbi": ("Rugby",), "soccer": ("Rugby",)}
    found = Folder(path="ftp://e.org/", classes=classes).problems(("rugby", "soccer"))
    assert [key for key, _ in found] == ["classes", "classes", "path"]
    assert Folder(path="http://e.org/").problems(("rugby",)) == [("path", "must be a local path")]
    assert Folder(path=str(tmp_path)).problems(("rugby",)) == []
    assert Folder(path="f").plan(0, None) == []


@pytest.mark.real
@pytest.mark.skipif(not PHOTOS.is_dir(), reason="needs ../shared")
def test_the_real_photos_are_all_listed(context):
    """448 photos of rugby balls and 568 of soccer balls."""
    rows = list_all(Folder(path=str(PHOTOS.resolve())), context)
    assert rows["label"].value_counts().to_dict() == {"soccer": 568, "rugby": 448}
    assert rows["record_id"].is_unique
