"""The whole way of odd files: split says nothing of what decoders say, and folders of an older version stay right."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from curator import catalog
from curator.catalog import Stage
from curator.inspect.verify import verify_files
from curator.manifests.manifest import read_manifest
from curator.pipeline import publish as publishing
from curator.pipeline.run_stages import decide, fetch
from curator.store.catalog_files import read_catalog, row_groups
from tests.observe.drawings import draw, encode
from tests.observe.odd_jpegs import METADATA, segment
from tests.small_worlds import recipe_text, small_project

LABELS = ("rugby", "soccer")


def odd_files():
    """Pictures, no two alike, each in a file that makes a decoder talk: name to bytes."""
    talking = [name for name in METADATA if name.startswith(("EXIF", "MPF", "ICC"))][::5]
    for number, name in enumerate(talking):
        kept = encode(draw(160, 120, seed=100 + number), "JPEG", quality=90)
        extra = METADATA[name][2 : METADATA[name].index(b"\xff\xdb")]
        yield f"{number:02d}.jpg", kept[:2] + extra + kept[20:]
    for number in range(200, 204):
        yield f"{number}.tif", encode(draw(160, 120, seed=number), "TIFF", compression="tiff_lzw")
        broken = bytearray(encode(draw(160, 120, seed=number + 50), "TIFF", compression="tiff_lzw"))
        broken[3000:3300] = bytes(300)
        yield f"{number}b.tif", bytes(broken)
        yield f"{number}p.png", encode(draw(160, 120, seed=number + 80, mode="P"), transparency=bytes(range(256)))
        jpeg = encode(draw(160, 120, seed=number + 110), "JPEG", quality=90)
        yield f"{number}t.jpg", jpeg[:2] + segment(0xFE, b"a comment") + jpeg[2:] + b"a trailer"


@pytest.fixture
def odd_project(tmp_path):
    """A project of a folder with odd files, before its fetch."""
    for index, label in enumerate(LABELS):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number, (name, data) in enumerate(odd_files()):
            if number % 2 == index:
                (tmp_path / "photos" / label / name).write_bytes(data)
    return small_project(tmp_path, recipe_text(tmp_path / "photos", "max", more="[benchmark]\n"))


EVERY_COMMAND = """
import sys
import curator
birds = curator.open(sys.argv[1], data=sys.argv[2])
birds.fetch(everything=True)
birds.split()
assert birds.verify().findings == ()
birds.report()
birds.gallery()
birds.export("keras")
"""


@pytest.mark.filterwarnings("ignore:.*(EXIF|MPO)")
def test_no_command_prints_what_decoders_say(odd_project):
    """Neither Pillow's warnings nor libtiff's lines: fetch, split, verify, report, gallery and exports are silent."""
    places = (str(odd_project.paths.manifest.parent / "recipe.toml"), str(odd_project.paths.data_root))
    done = subprocess.run([sys.executable, "-c", EVERY_COMMAND, *places], capture_output=True, text=True)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    rows = read_manifest(odd_project.paths.manifest)
    assert len(rows) > 20
    for file in rows["file"]:
        with Image.open(odd_project.paths.folder / file) as image:
            assert np.asarray(image.convert("RGB")).shape[2] == 3


def test_what_an_older_version_observed_is_looked_at_before_it_is_linked(odd_project, monkeypatch):
    """A catalog that does not say what is well-formed gives the very same folders, and no later file is decoded."""
    fetch(odd_project)
    decide(odd_project, Stage.SPLIT, {})
    now = read_catalog(odd_project.paths.catalog(Stage.SPLIT))
    files = read_manifest(odd_project.paths.manifest)["file"].tolist()
    assert any(name.endswith(".jpg") for name in files)
    monkeypatch.setattr(publishing, "look_at_files", lambda *_, **__: pytest.fail("looked at again"))
    assert publishing.look_again(now, odd_project) is now
    monkeypatch.undo()
    older = now.assign(well_formed=pd.Series([None] * len(now), index=now.index, dtype=now["well_formed"].dtype))
    seen = publishing.look_again(older, odd_project)
    plain = publishing.is_plain(now) & catalog.is_kept(now)
    assert seen["well_formed"][plain].tolist() == now["well_formed"][plain].tolist()
    publishing.publish(odd_project, older, lambda: row_groups(older), {})
    assert read_manifest(odd_project.paths.manifest)["file"].tolist() == files
    assert verify_files(odd_project.paths).findings == ()
    assert read_catalog(odd_project.paths.catalog(Stage.SPLIT))["well_formed"].notna().any()
