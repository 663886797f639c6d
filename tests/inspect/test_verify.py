"""``verify`` decodes what it verifies: damage that the hash agrees with, and what a strict reader would refuse."""

import hashlib
import os

import pytest
from PIL import Image

from curator.inspect.verify import verify_files
from curator.manifests.manifest import read_manifest
from curator.observe.workers.look import look_at_files
from curator.store.paths import DataPaths
from tests.observe.drawings import draw, encode
from tests.observe.odd_jpegs import WHOLE
from tests.observe.png_parts import Parts

SMALL = encode(draw(), "JPEG", quality=90)


def broken_png():
    """A PNG with a flipped bit, and every chunk's checksum right."""
    parts = Parts(8, 2)
    packed = bytearray(parts.packed())
    packed[len(packed) // 2] ^= 4
    return parts.build(bytes(packed))


@pytest.fixture
def published(tmp_path):
    """Publish these files as an older version did, each linked as it is: name to (bytes, ending)."""

    def publish(files, converted=None):
        paths = DataPaths(tmp_path / "data", tmp_path, "birds")
        lines = ["record_id,label,split,sha256,file,format,width,height"]
        for name, (data, kind, size) in files.items():
            sha256 = hashlib.sha256(data).hexdigest()
            source = paths.image(sha256, kind)
            file = paths.folder / f"train/heron/{name}{'.jpg' if kind == 'jpeg' else '.png'}"
            for path in (source, file):
                path.parent.mkdir(parents=True, exist_ok=True)
            source.write_bytes(data)
            if converted and name in converted:
                source = paths.converted_image(sha256)
                source.parent.mkdir(parents=True, exist_ok=True)
                source.write_bytes(converted[name])
            os.link(source, file)
            lines.append(f"{name},heron,train,{sha256},train/heron/{file.name},{kind},{size[0]},{size[1]}")
        paths.manifest.parent.mkdir(parents=True, exist_ok=True)
        paths.manifest.write_text("\n".join(lines) + "\n")
        return paths

    return publish


def test_damage_is_found_though_the_bytes_are_those_of_the_manifest(published):
    """Whole files are no finding; damaged and odd ones are named, each with what is wrong."""
    files = {
        "whole": (SMALL, "jpeg", (200, 150)),
        "bit": (broken_png(), "png", (61, 47)),
        "cut": (SMALL[: len(SMALL) // 2], "jpeg", (200, 150)),
        "trailer": (WHOLE + b"more", "jpeg", (240, 180)),
        "other": (Parts(8, 0).build(), "png", (60, 47)),
    }
    paths = published(files)
    found = {finding.record_id: finding.problem for finding in verify_files(paths).findings}
    assert found["bit"].startswith("cannot be decoded: corrupt (the pixel data is damaged")
    assert found["cut"].startswith("cannot be decoded: truncated")
    assert found["trailer"] == "some readers refuse it: it is not a well-formed JPEG or PNG"
    assert found["other"] == "shows 61 x 47 pixels; the manifest says 60 x 47"
    assert set(found) == {"bit", "cut", "trailer", "other"}
    assert verify_files(paths, fast=True).findings == ()
    assert len(read_manifest(paths.manifest)) == verify_files(paths, fast=True).n_images == 5


def test_a_blank_picture_that_a_person_kept_is_no_finding(published):
    """It is whole: what a person may overrule is no damage."""
    blank = encode(Image.new("RGB", (200, 150), "navy"), "PNG")
    assert verify_files(published({"blank": (blank, "png", (200, 150))})).findings == ()


def test_the_png_form_in_the_folders_is_decoded_too(published):
    """The stored GIF is whole; what was made of it, and is linked, is not."""
    gif = encode(draw(61, 47), "GIF")
    files = {"good": (gif, "gif", (61, 47)), "bad": (gif + b"\0", "gif", (61, 47))}
    paths = published(files, converted={"good": Parts(8, 2).build(), "bad": broken_png()})
    (finding,) = verify_files(paths).findings
    assert (finding.record_id, finding.path.endswith("train/heron/bad.png")) == ("bad", True)
    assert "corrupt" in finding.problem


def test_files_are_looked_at_where_they_lie(published):
    """Nothing is copied, and a file that is gone is no error of the workers."""
    paths = published({"whole": (SMALL, "jpeg", (200, 150))})
    before = sorted(path for path in paths.data_root.rglob("*"))
    seen = dict(look_at_files([paths.folder / "train/heron/whole.jpg", paths.folder / "gone.jpg"], 1_000_000))
    assert (seen[0].observation.flaw, seen[1]) == (None, None)
    assert sorted(path for path in paths.data_root.rglob("*")) == before
