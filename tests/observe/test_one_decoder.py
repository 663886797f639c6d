"""One decoder: what is hashed, exported, trained on and shown is the same upright RGB, for every odd kind of image."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from curator.embed.squares import read_square
from curator.manifests.manifest import can_be_linked
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.observe.luma import shrink
from curator.observe.observation import look_at
from curator.observe.pixels import decode_rgb
from curator.observe.thumbnails import data_uri, encode_small, thumbnail
from curator.pipeline.folders import Parts, build_folders
from curator.reasons import Drop
from curator.store.paths import DataPaths
from tests.observe.odd_kinds import KINDS, opened

SHARED = Path(__file__).parents[2] / "../shared"
REAL = (
    *("pil_sample_cmyk.jpg", "icc-after-SOF.jpg", "frame_size.mpo", "12bit.cropped.tif", "16bit.MM.deflate.tif"),
    *("16bit.s.tif", "lab.tif", "hopper_jpg.tif", "g4_orientation_6.tif", "separate_planar_extra_samples.tiff"),
    *("1_trns.png", "l_trns.png", "i_trns.png", "rgb_trns.png", "p_trns_single.png", "pal8rletrns.png"),
    *("apng/delay.png", "dispose_bgnd.gif", "hopper.ico", "rgb32bf-rgba.bmp", "avif/hopper.avif"),
    "hopper_orientation_5.webp",
)
MAX_PIXELS = 1_000_000


def pixels(picture):
    """The pixels of a picture as RGB, to compute with: int64 (height, width, 3)."""
    return np.asarray(picture.convert("RGB")).astype(np.int64)


def mean_apart(left, right):
    """The mean difference of two pictures' pixels."""
    assert left.size == right.size
    return np.abs(pixels(left) - pixels(right)).mean()


def jpeg(data):
    """Open what was encoded for a page."""
    return Image.open(io.BytesIO(data))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store of all kinds, and the folders that are built of them: the paths, and each kind's file in the folders."""
    root = tmp_path_factory.mktemp("kinds")
    return build(root, {name: kind.data for name, kind in KINDS.items()})


def build(root, files):
    """Store files and build the folders: the paths, and each file in the folders."""
    paths = DataPaths(root, root, "odd")
    seen = pd.DataFrame([look_at(data, max_pixels=MAX_PIXELS).observation._asdict() for data in files.values()])
    for data, sha256, image_format in zip(files.values(), seen["sha256"], seen["format"], strict=True):
        stored = paths.image(sha256, image_format)
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.write_bytes(data)
    linked = can_be_linked(seen)
    endings = np.where(linked & (seen["format"] == "jpeg"), "jpg", "png")
    names = [f"train/odd/{n:03d}.{ending}" for n, ending in enumerate(endings)]
    rows = seen.assign(file=names, linked=linked)
    build_folders(Parts(len(rows), lambda: [rows]), Project(Recipe("odd", (), ()), paths))
    return paths, dict(zip(files, [paths.new_folders / name for name in names], strict=True))


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_decoded_to_what_a_viewer_shows(name):
    """Upright, on white, deep pixels scaled, nothing else left of the file."""
    kind = KINDS[name]
    picture = decode_rgb(kind.data)
    assert (picture.mode, picture.info, picture.getexif().get(0x0112, 1)) == ("RGB", {}, 1)
    assert mean_apart(picture, kind.seen) <= kind.tolerance


@pytest.mark.parametrize("name", KINDS)
def test_what_is_hashed_is_the_luma_of_what_is_decoded(name):
    """Exact; but a JPEG's luma is read from its coefficients, at reduced size, and a shrunk one is turned."""
    kind = KINDS[name]
    sighting = look_at(kind.data, max_pixels=MAX_PIXELS)
    picture = decode_rgb(kind.data)
    assert sighting.observation.flaw in (None, Drop.BLANK)
    assert (sighting.observation.width, sighting.observation.height) == picture.size
    if sighting.observation.mode == "LAB":  # by its lightness, as every mode by what is stored
        picture = Image.open(io.BytesIO(kind.data)).getchannel("L")
    hashed = np.frombuffer(sighting.luma, np.uint8).reshape(32, 32).astype(np.int64)
    apart = np.abs(hashed - shrink(picture.convert("L")))
    is_jpeg = sighting.observation.format in ("jpeg", "mpo")
    assert apart.max() <= (3 if is_jpeg else sighting.observation.orientation > 4)


@pytest.mark.parametrize("name", KINDS)
def test_every_reader_finds_the_decoded_pixels_in_the_folders(name, store):
    """Linked or written as PNG, the file in the folders is the decoded picture to a reader that knows no odd kinds."""
    _, files = store
    assert np.array_equal(opened(files[name].read_bytes()), pixels(decode_rgb(KINDS[name].data)))


@pytest.mark.slow
def test_keras_finds_the_decoded_pixels_in_the_folders(store):
    """TensorFlow's own decoders, too; its JPEG decoder rounds otherwise."""
    tf = pytest.importorskip("tensorflow")
    for name, file in store[1].items():
        found = tf.io.decode_image(file.read_bytes(), channels=3, expand_animations=False).numpy()
        apart = np.abs(found.astype(np.int64) - pixels(decode_rgb(KINDS[name].data)))
        assert apart.mean() <= (2 if file.suffix == ".jpg" else 0), name


@pytest.mark.parametrize("side", [32, 100])
@pytest.mark.parametrize("name", KINDS)
def test_what_is_trained_on_is_what_is_in_the_folders(name, side, store, tmp_path):
    """The squares of our own trainer, from the stored file and from that of the folders."""
    _, files = store
    squares = []
    for number, data in enumerate((KINDS[name].data, files[name].read_bytes())):
        path = tmp_path / str(number)
        path.write_bytes(data)
        squares.append(read_square(path, hashlib.sha256(data).hexdigest(), side).astype(np.int64))
    apart = np.abs(squares[0] - squares[1])
    assert apart.mean() <= (2 if name.startswith(("jpeg", "mpo")) else 0)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_shown_is_the_decoded_picture(name, store):
    """The review page's thumbnail and picture, and the report's thumbnail, but for JPEG's loss."""
    paths, _ = store
    data = KINDS[name].data
    sighting = look_at(data, max_pixels=MAX_PIXELS).observation
    stored = paths.image(sighting.sha256, sighting.format)
    picture = decode_rgb(data)
    for shown, side in (
        (thumbnail(paths, sighting.sha256, sighting.format), 256),
        (encode_small(stored, 1600), 1600),
        (encode_small(stored, 64), 64),
    ):
        expected = picture.copy()
        expected.thumbnail((side, side), Image.Resampling.BICUBIC)
        assert mean_apart(jpeg(shown), expected) <= 6
    assert data_uri(stored).startswith("data:image/jpeg;base64,/9j/")


@pytest.mark.parametrize("name", ["jpeg large", "jpeg large CMYK", "jpeg large turned"])
def test_a_reduced_decode_has_the_same_colours(name):
    """A JPEG comes at 1/2 to 1/8, as its longer or shorter side is needed; never smaller than that."""
    whole = decode_rgb(KINDS[name].data)
    for options, scale in (({"long_px": 350}, 2), ({"long_px": 351}, 1), ({"short_px": 62}, 8), ({"short_px": 63}, 4)):
        reduced = decode_rgb(KINDS[name].data, **options)
        assert reduced.size == tuple(-(-side // scale) for side in whole.size)
        assert mean_apart(reduced, whole.resize(reduced.size, Image.Resampling.BOX)) <= 2


def test_what_no_decoder_opens_is_a_value_error():
    """Whatever a decoder raises, and what it says of it."""
    with pytest.raises(ValueError, match="no decoder here opens an HTML page"):
        decode_rgb(b"<html>")
    for name in ("png RGB", "jpeg RGB", "tiff RGB", "webp RGB", "gif P"):
        with pytest.raises(ValueError, match=r"\w"):
            decode_rgb(KINDS[name].data[:200])


@pytest.mark.real
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
def test_real_odd_files_are_the_same_everywhere(tmp_path):
    """Pillow's own collection: hashed, in the folders and trained on alike."""
    folder = SHARED / "odd_images/pillow/Tests/images"
    contents = {name: (folder / name).read_bytes() for name in REAL}
    _, files = build(tmp_path, contents)
    for name, data in contents.items():
        picture = decode_rgb(data)
        assert np.array_equal(opened(files[name].read_bytes()), pixels(picture)), name
        sighting = look_at(data, max_pixels=MAX_PIXELS)
        apart = np.frombuffer(sighting.luma, np.uint8).reshape(32, 32).astype(np.int64) - shrink(picture.convert("L"))
        assert np.abs(apart).mean() <= (2 if sighting.observation.format in ("jpeg", "mpo") else 0.3), name
        shutil.copy(files[name], tmp_path / "file")
        squares = [
            read_square(path, hashlib.sha256(path.read_bytes()).hexdigest(), 32).astype(np.int64)
            for path in (folder / name, tmp_path / "file")
        ]
        assert np.abs(squares[0] - squares[1]).mean() <= 3, name
