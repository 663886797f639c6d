"""Boxes are images of their own and stated rotations are applied, in every place that has to know; and undone."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

import curator
from curator import catalog
from curator.catalog import kept
from curator.errors import RecipeError
from curator.export.material import Material, shareable
from curator.manifests.made_with import MadeWith
from curator.manifests.manifest import read_manifest
from curator.manifests.read_recipe import parse_recipe
from curator.manifests.settings import FetchSettings
from curator.pipeline import made_pictures
from curator.pipeline.replay import replay_manifest
from curator.sources.registry import source_kinds
from curator.store.image_store import store_of
from curator.store.making import turned_crop
from tests.small_webs import PictureHandler, serving
from tests.small_worlds import picture
from tests.sources.test_open_images import BOXES, IMAGES, RUGBY, SOCCER, image_id

CLASSES = f"{RUGBY},Rugby\n{SOCCER},Soccer\n"
SIZE = (400, 300)


def jpeg(seed: int, orientation: int = 1) -> bytes:
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture(seed, SIZE).save(stream, "JPEG", quality=95, **({"exif": exif} if orientation != 1 else {}))
    return stream.getvalue()


class Web(PictureHandler):
    """Serves pictures by their names."""

    files: dict[str, bytes] = {}  # noqa: RUF012 (filled by the fixture)

    def do_GET(self) -> None:  # noqa: N802
        body = self.files.get(self.path.rpartition("/")[2])
        self.send_body(200 if body else 404, body or b"")


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Boxes of twelve images of each of two classes; some images are to be turned, and of these one says so itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Web, "files", {f"{image_id(n)}.jpg": jpeg(n, 6 if n == 3 else 1) for n in range(24)})
    folder = tmp_path / "openimages"
    rows, facts = [], []
    with serving(Web) as port:
        for n in range(24):
            rows += [
                f"{image_id(n)},xclick,{RUGBY if n < 12 else SOCCER},1,{sides},0,0,0,0,0"
                for sides in ("0.1,0.5,0.2,0.6", "0.55,0.95,0.1,0.9")
            ]
            turn = "90.0" if n in (2, 3) else "180.0" if n == 4 else "0.0"
            url = f"http://127.0.0.1:{port}/original/{image_id(n)}.jpg"
            pages = f"{url},http://p/{n},https://creativecommons.org/licenses/by/2.0/,http://a,Ann {n}"
            facts.append(f"{image_id(n)},x,{pages},T,9,m,,{turn}")
        rows.append(f"{image_id(0)},xclick,{RUGBY},1,0.5,0.5,0,1,0,0,0,0,0")  # of no width
        files = {
            "v5/class-descriptions-boxable.csv": CLASSES,
            "v5/validation-annotations-bbox.csv": "\n".join([BOXES, *rows]) + "\n",
            "2018_04/validation/validation-images-with-rotation.csv": "\n".join([IMAGES, *facts]) + "\n",
        }
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        (tmp_path / "port").write_text(str(port))
        yield folder


def made(tables: Path, store: str = "", **source: object) -> curator.Dataset:
    """Make a data set of these tables, its images in an object store, perhaps."""
    root = tables.parent
    given = {"kind": "open-images", "classes": {"rugby": ["Rugby"], "soccer": ["Soccer"]}, "subsets": ["validation"]}
    given |= {"labels_from": "boxes", "metadata": str(tables), **source}
    given |= {"images": f"http://127.0.0.1:{(root / 'port').read_text()}"}
    fetch = {"allow_private_hosts": True, "retries": 0}
    data = curator.create(
        "small",
        labels=["rugby", "soccer"],
        sources=[given],
        fetch=fetch,
        balance={"per_class": "all"},
        store={"url": store, "cache_gb": 0.0},
    )
    data.split()
    return data


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"), np.int16)


def upright(number: int, turn: int = 0) -> Image.Image:
    """What a reader of the original shows, turned counter-clockwise."""
    whole = Image.open(io.BytesIO(Web.files[f"{image_id(number)}.jpg"]))
    if whole.getexif().get(0x0112) == 6:
        whole = whole.transpose(Image.Transpose.ROTATE_270)
    return whole.rotate(turn, expand=True)


def test_each_box_is_an_image_with_its_margin(tables: Path) -> None:
    """Two of each image, at the same pixels, boxes turned as stated with the pictures; both on one side of a split."""
    data = made(tables, crop="boxes", margin=0.25)
    rows = data.manifest.set_index("record_id")
    assert len(rows) == 48 and rows["made_of"].nunique() == 24 and rows["sha256"].is_unique
    assert (rows["format"] == "png").all()
    assert rows.groupby("source_id")["split"].nunique().max() == 1
    stated, by_exif = {2: 90, 3: 90, 4: 180}, {3}
    for record_id, row in rows.iterrows():
        number = int(row["source_id"], 16)
        turn = stated.get(number, 0)
        whole = upright(number, 0 if number in by_exif else turn)
        crops = [turned_crop(f"crop {sides} margin 0.25", turn) for sides in ("0.1 0.2 0.5 0.6", "0.55 0.1 0.95 0.9")]
        first = row["made_by"].endswith(crops[0])
        assert first or row["made_by"].endswith(crops[1])
        corners = {
            0: ((0.0, 0.1, 0.6, 0.7), (0.45, 0.0, 1.0, 1.0)),
            90: ((0.1, 0.4, 0.7, 1.0), (0.0, 0.0, 1.0, 0.55)),
            180: ((0.4, 0.3, 1.0, 0.9), (0.0, 0.0, 0.55, 1.0)),
        }
        left, top, right, bottom = corners[turn][0 if first else 1]
        ends = (-int(-right * whole.width // 1), -int(-bottom * whole.height // 1))
        box = (int(left * whole.width), int(top * whole.height), *ends)
        expected = np.asarray(whole.crop(box).convert("RGB"), np.int16)
        seen = pixels(data.paths.folder / row["file"])
        assert seen.shape == expected.shape and np.abs(seen - expected).max() <= 2, record_id
        assert (row["width"], row["height"]) == (expected.shape[1], expected.shape[0])
    story = str(data.why(rows.index[0])[0])
    assert f"made     of {rows['made_of'].iloc[0]}, as served: crop" in story
    assert data.verify().findings == ()
    assert len(kept(data.table)) == 48


def test_a_stated_rotation_counts_unless_exif_says_otherwise(tables: Path) -> None:
    """Turned where nothing else is said; one whose EXIF turns it is turned once; the others are the files as served."""
    data = made(tables)
    rows = data.manifest.assign(number=[int(one, 16) for one in data.manifest["source_id"]]).set_index("number")
    assert dict(rows["made_by"].dropna()) == {2: "turn 90", 4: "turn 180"}
    for number, turn in ((2, 90), (3, 0), (4, 180), (5, 0)):
        seen = pixels(data.paths.folder / rows["file"][number])
        expected = np.asarray(upright(number, turn).convert("RGB"), np.int16)
        assert seen.shape == expected.shape and np.abs(seen - expected).max() <= 2, number
    assert (rows["width"][2], rows["height"][2]) == (rows["width"][3], rows["height"][3]) == (300, 400)


def test_fetched_again_nothing_is_requested_or_made(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest is the same, byte for byte; what is gone of made files is made again."""
    data = made(tables, crop="boxes")
    manifest = data.paths.manifest.read_bytes()
    monkeypatch.setattr(Web, "files", {})
    made_files = sorted((data.paths.sources / "made").rglob("*.png"))
    assert len(made_files) == 48
    made_files[0].unlink()
    data.fetch()
    data.split(force=True)
    assert data.paths.manifest.read_bytes() == manifest and made_files[0].exists()


def test_a_replay_makes_them_again(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The original is fetched, compared, and cut again: the same manifest; what changed is lost with its boxes."""
    data = made(tables, crop="boxes")
    settings = FetchSettings(allow_private_hosts=True, retries=0)
    done = replay_manifest(data.paths.manifest, tmp_path / "elsewhere", settings)
    assert done.is_whole and done.paths.manifest.read_bytes() == data.paths.manifest.read_bytes()
    monkeypatch.setitem(Web.files, f"{image_id(5)}.jpg", jpeg(99))
    monkeypatch.delitem(Web.files, f"{image_id(6)}.jpg")
    done = replay_manifest(data.paths.manifest, tmp_path / "again", settings)
    assert done.n_kept == 44 and done.counts()["changed"] == 2 and done.counts()["gone"] == 2


def test_a_replay_makes_them_again_of_what_an_object_store_has(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no web at all; what is made goes into its own part of the store."""
    pytest.importorskip("obstore")
    data = made(tables, store=f"file://{tmp_path}/bucket", crop="boxes")
    monkeypatch.setattr(Web, "files", {})
    settings = FetchSettings(allow_private_hosts=True, retries=0)
    recipe = data.project.recipe
    done = replay_manifest(data.paths.manifest, tmp_path / "elsewhere", settings, recipe=recipe)
    assert done.is_whole and done.n_stored == 48
    assert done.paths.manifest.read_bytes() == data.paths.manifest.read_bytes()
    assert len(store_of(done.paths.folder).index().words) == 48 + 24


def test_columns_of_more_than_two_gigabytes_take_what_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the limit at fifty bytes, those of what was fetched, in several parts, pass it; what was made does not."""
    rows = {"record_id": "x", "label": "a", "source": "x", "kind": "x", "tier": 0, "n_bytes": 1}
    part = catalog.conform(pd.DataFrame(rows | {"sha256": ["a" * 64, "b" * 64]}))
    table = catalog.from_arrow(pa.concat_tables([catalog.to_arrow(part)] * 2))
    new = catalog.conform(pd.DataFrame({"sha256": ["c"], "thumbnail": [b"1"], "phash256": [b"2"], "n_bytes": [2]}))
    usual = made_pictures._replaced(table, np.array([2]), new, ["turn 90"])
    monkeypatch.setattr(catalog, "MOST_BYTES", 150)
    found = made_pictures._replaced(table, np.array([2]), new, ["turn 90"])
    pd.testing.assert_frame_equal(found, usual)
    assert found["sha256"].tolist() == ["a" * 64, "b" * 64, "c", "b" * 64]
    assert found["made_of"].tolist()[2] == "a" * 64 and found["n_bytes"].tolist() == [1, 1, 2, 1]


def test_forgetting_the_original_takes_all_that_is_made_of_it(tables: Path) -> None:
    """By its content, by that of one of its parts, or by its author: no file of it is left, and none comes back."""
    data = made(tables, crop="boxes")
    rows = data.manifest
    by_number = {int(one, 16): rows[rows["source_id"] == one] for one in rows["source_id"].unique()}
    of_part = by_number[1]["sha256"].iloc[0]
    for target in (by_number[0]["made_of"].iloc[0], of_part, "author:Ann 7"):
        assert data.forget(target).n_manifest == 2
    gone = [by_number[number] for number in (0, 1, 7)]
    contents = {text for part in gone for name in ("sha256", "made_of") for text in part[name]}
    assert len(contents) == 9
    left = [path.name for path in data.paths.folder.rglob("*") if path.is_file()]
    assert not [name for name in left if name.partition(".")[0] in contents]
    data.fetch()
    assert len(data.split().table.query("split.notna()")) == 42
    left = [path.name for path in data.paths.folder.rglob("*") if path.is_file()]
    assert not [name for name in left if name.partition(".")[0] in contents]


def test_exports_and_mirrors_say_what_was_made(tables: Path, tmp_path: Path) -> None:
    """The card and the credits; a list of addresses has none for what is made."""
    data = made(tables, crop="boxes")
    done = data.export("parquet")
    assert "48 of them are parts of a picture" in (done.path / "README.md").read_text()
    assert "changed: crop 0.1 0.2 0.5 0.6 margin 0.1" in (done.path / "ATTRIBUTION.md").read_text()
    assert data.mirror(tmp_path / "backup").counts == {"written": 48}
    for kind in ("git-annex", "dvc"):
        assert sum(data.mirror(tmp_path / kind, to=kind).refused.values()) == 48


def test_boxes_of_one_picture_stay_together_whatever_the_recipe_groups_by(tables: Path) -> None:
    """Also where it groups by nothing else."""
    data = made(tables, crop="boxes")
    text = data.recipe.path.read_text()  # type: ignore[union-attr]
    data.recipe.path.write_text(f"{text}\n[split]\ngroup_by = []\n")  # type: ignore[union-attr]
    again = curator.open("small")
    again.split(resplit=True)
    assert again.manifest.groupby("made_of")["split"].nunique().max() == 1
    assert again.manifest["split"].nunique() == 2


def test_a_part_of_what_allows_no_derivatives_is_not_passed_on(tables: Path) -> None:
    """The whole picture is."""
    rows = made(tables).manifest.assign(license="CC BY-ND 2.0")
    material = Material("small", rows, Path(), MadeWith())
    assert shareable(material, is_changed=False).n_withheld == 2  # the two that were turned
    assert shareable(material, is_changed=True).n_withheld == 24


def test_the_recipe_is_checked() -> None:
    """Boxes can be cut out only where boxes are read; a margin is a share."""
    text = """
name = "small"
labels = ["a", "b"]
[[sources]]
kind = "open-images"
classes = {{ a = ["A"], b = ["B"] }}
{}
"""
    for keys, said in (
        ('crop = "boxes"', 'crop goes with labels_from = "boxes"'),
        ('labels_from = "boxes"\ncrop = "box"', "crop must be"),
        ('labels_from = "boxes"\nmargin = 2', "margin must be <= 1"),
    ):
        with pytest.raises(RecipeError, match=said):
            parse_recipe(text.format(keys), source_kinds())


def test_a_manifest_of_a_stranger_makes_nothing_odd(tables: Path) -> None:
    """A text that says nothing that can be made is no cell of a manifest."""
    data = made(tables, crop="boxes")
    text = data.paths.manifest.read_text()
    for odd in ("crop 0.1 0.2 0.5 9", "turn 45", "crop 0.5 0.2 0.1 0.6; rm -rf", "crop 0.1 0.2"):
        data.paths.manifest.write_text(text.replace("crop 0.1 0.2 0.5 0.6 margin 0.1", odd))
        with pytest.raises(curator.CuratorError, match="is no making of a picture"):
            read_manifest(data.paths.manifest)
    assert json.dumps(odd)
