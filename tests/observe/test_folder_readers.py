"""Every reader of the train and test folders reads every file in them, and sees the decoded picture."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from curator.observe.observation import look_at
from curator.observe.pixels import decode_rgb
from curator.reasons import Drop
from tests.observe.drawings import MAX_PIXELS
from tests.observe.odd_jpegs import ENDS, METADATA, PICTURE, WHOLE
from tests.observe.odd_kinds import KINDS
from tests.observe.png_parts import Parts
from tests.observe.test_one_decoder import build
from tests.observe.test_png import ODDITIES

ODD_PNGS = {f"png {oddity.__name__} {n}": oddity(Parts(8, *n)) for oddity in ODDITIES for n in ((2, 0), (0, 1), (3, 0))}
FILES = {name: kind.data for name, kind in KINDS.items()} | ENDS | ODD_PNGS | dict(list(METADATA.items())[::3])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folders of all odd files: each name's file, and the picture that it must show."""
    _, files = build(tmp_path_factory.mktemp("readers"), FILES)
    return {name: (file, np.asarray(decode_rgb(FILES[name])).astype(np.int64)) for name, file in files.items()}


def is_alike(found, folder, name):
    """A JPEG's decoders round in two ways; a PNG's do not."""
    file, expected = folder[name]
    apart = 2 if file.suffix == ".jpg" else 0
    return found.shape == expected.shape and np.abs(found.astype(np.int64) - expected).mean() <= apart


@pytest.mark.filterwarnings("ignore:.*(EXIF|Truncated|MPO)")
def test_pillow_reads_every_file(folder):
    """Opened by its name, as Keras' ``load_img`` does."""
    for name, (file, _) in folder.items():
        with Image.open(file) as image:
            assert is_alike(np.asarray(image.convert("RGB")), folder, name), name


def test_opencv_reads_every_file(folder, capfd):
    """Not a word of libpng's or libjpeg's is heard."""
    for name, (file, _) in folder.items():
        picture = cv2.imread(str(file))
        assert picture is not None, name
        assert is_alike(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), folder, name), name
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_tensorflow_reads_every_file(folder):
    """As three dimensions, an animation too."""
    tf = pytest.importorskip("tensorflow")
    for name, (file, _) in folder.items():
        assert is_alike(tf.io.decode_image(file.read_bytes(), channels=3).numpy(), folder, name), name


@pytest.mark.slow
def test_keras_reads_the_whole_folder(folder):
    """None of its files raises, and none is left out."""
    keras = pytest.importorskip("keras")
    root = next(iter(folder.values()))[0].parents[1]
    images = keras.utils.image_dataset_from_directory(root, image_size=(32, 32), batch_size=64, verbose=False)
    assert sum(len(batch) for batch, _ in images) == len(folder)


@pytest.mark.slow
def test_torchvision_reads_every_file(folder):
    """Where it is installed."""
    io = pytest.importorskip("torchvision.io")
    for name, (file, _) in folder.items():
        picture = io.read_image(str(file), mode=io.ImageReadMode.RGB).permute(1, 2, 0).numpy()
        assert is_alike(picture, folder, name), name


@pytest.mark.parametrize("name", ENDS)
def test_a_jpeg_with_an_odd_end_is_kept_as_it_was_seen_and_not_linked(name):
    """Its pixels are whole: it has the hash of the file without the oddity."""
    seen, whole = (look_at(data, max_pixels=MAX_PIXELS) for data in (ENDS[name], WHOLE))
    assert seen.observation.flaw is None
    assert np.abs(np.frombuffer(seen.luma, np.uint8).astype(int) - np.frombuffer(whole.luma, np.uint8)).max() <= 1
    assert (seen.observation.well_formed, whole.observation.well_formed) == (False, True)


@pytest.mark.parametrize("name", METADATA)
def test_broken_metadata_of_a_jpeg_are_no_flaw(name):
    """They are nobody's business but their own: the picture is as without them, and no reader sees it turned."""
    seen = look_at(METADATA[name], max_pixels=MAX_PIXELS).observation
    assert seen.flaw is None
    turned = seen.orientation not in (1, None)
    if not turned:
        picture = np.asarray(decode_rgb(METADATA[name])).astype(int)
        assert np.abs(picture - np.asarray(Image.open(io.BytesIO(WHOLE)))).max() == 0
        assert picture.shape == np.asarray(PICTURE).shape
    for short_px in (16, 60):
        decode_rgb(METADATA[name], short_px=short_px).save(io.BytesIO(), "JPEG")


def test_what_a_strict_reader_warns_of_is_converted(folder):
    """The oddities are not linked as they are; whole plain files are."""
    assert folder["jpeg RGB"][0].suffix == ".jpg"
    assert all(folder[name][0].read_bytes() != FILES[name] for name in (*ENDS, *ODD_PNGS))
    assert folder["png RGB"][0].read_bytes() == FILES["png RGB"]


def test_half_a_jpeg_is_truncated_and_one_without_a_scan_corrupt():
    """A progressive one that lost a scan shows everything, blurred: its detail is missing."""
    progressive = KINDS["jpeg progressive"].data
    scans = [at for at in range(len(progressive)) if progressive.startswith(b"\xff\xda", at)]
    tables = progressive.rfind(b"\xff\xc4", 0, scans[-1])
    last = look_at(progressive[:tables] + b"\xff\xd9", max_pixels=MAX_PIXELS).observation
    assert (last.flaw, "scan is missing" in last.flaw_detail) == (Drop.CORRUPT, True)
    assert look_at(progressive[:tables], max_pixels=MAX_PIXELS).observation.flaw is Drop.TRUNCATED
    assert look_at(WHOLE[: len(WHOLE) // 2], max_pixels=MAX_PIXELS).observation.flaw is Drop.TRUNCATED
