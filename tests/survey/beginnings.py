"""Pictures and trees of them, as people have them: each beginning is made in a folder and returns what to name."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from typer.testing import CliRunner, Result

from curator.cli.app import app


def curator(*words: str) -> Result:
    """Run the command line as a person does."""
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result


@cache
def picture(seed: int, form: str = "jpeg") -> bytes:
    """A picture of its own, of broad shapes that no other seed has."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 255, (9, 12, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((128, 96), Image.Resampling.BICUBIC)
    file = BytesIO()
    image.save(file, form, quality=90)
    return file.getvalue()


def put(root: Path, names: Iterable[str]) -> None:
    """Write a picture of its own under each name."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(abs(hash_of(name)), "png" if name.endswith(".png") else "jpeg"))


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    return int.from_bytes(text.encode()[-7:], "big") + 31 * sum(text.encode())


def numbered(*folders: str, n: int = 4, ending: str = ".jpg") -> list[str]:
    """Names of pictures in folders."""
    return [f"{folder}/{folder.replace('/', '-')}-{number}{ending}" for folder in folders for number in range(n)]


def _labels(root: Path) -> str:
    put(root / "photos", numbered("heron", "stork", n=5))
    return "photos"


def _wrapped(root: Path) -> str:
    put(root / "dogs", numbered("Images/n02085620-Chihuahua", "Images/n02085782-Japanese_spaniel"))
    (root / "dogs/Annotation/n02085620-Chihuahua").mkdir(parents=True)
    (root / "dogs/Annotation/n02085620-Chihuahua/n02085620_1").write_text("<annotation>")
    return "dogs"


def _numbered(root: Path) -> str:
    put(root / "CUB", numbered("images/001.Black_footed_Albatross", "images/002.Laysan_Albatross"))
    put(root / "CUB", numbered("masks/001.Black_footed_Albatross", "masks/002.Laysan_Albatross", n=2, ending=".png"))
    return "CUB"


def _letters(root: Path) -> str:
    put(root / "places", numbered("a/airfield", "a/apartment_building/outdoor", "b/bakery/shop", "b/bar"))
    return "places"


def _sides(root: Path) -> str:
    put(root / "set", numbered("train/Käfer", "train/犬", n=6))
    put(root / "set", numbered("validation/Käfer", "validation/犬", "test/Käfer", "test/犬", n=2))
    return "set"


def _sides_below(root: Path) -> str:
    put(root / "set", numbered("cat/train", "dog/train", n=6) + numbered("cat/test", "dog/test", n=2))
    return "set"


def _unlabelled_test(root: Path) -> str:
    put(root / "kaggle", numbered("train/cat", "train/dog") + numbered("test", n=3))
    return "kaggle"


def _names(root: Path) -> str:
    put(root / "pets", [f"images/{name}_{n}.jpg" for name in ("Abyssinian", "great_pyrenees") for n in range(1, 6)])
    return "pets"


def _kaggle_names(root: Path) -> str:
    put(root / "train", [f"{name}.{n}.jpg" for name in ("cat", "dog") for n in range(5)])
    return "train"


def _hugging_face(root: Path) -> str:
    cache_folder = root / "hub/datasets--someone--birds"
    snapshot = cache_folder / "snapshots/0123abc"
    for name in numbered("train/heron", "train/stork", n=5) + numbered("test/heron", "test/stork", n=2):
        blob = cache_folder / "blobs" / f"{hash_of(name):032x}"
        put(blob.parent, [blob.name])
        link = snapshot / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    (cache_folder / "refs").mkdir()
    (cache_folder / "refs/main").write_text("0123abc")
    return "hub/datasets--someone--birds"


def _annex(root: Path) -> str:
    for name in numbered("heron", "stork", n=5):
        target = root / "annexed/.git/annex/objects" / f"{hash_of(name):x}.jpg"
        put(target.parent, [target.name])
        link = root / "annexed" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(target, link.parent))
    (root / "annexed/stork/absent.jpg").symlink_to("../.git/annex/objects/absent.jpg")
    return "annexed"


def _linked_folder(root: Path) -> str:
    put(root / "disk", numbered("heron", "stork", n=5))
    (root / "set").mkdir()
    (root / "set/heron").symlink_to(root / "disk/heron")
    (root / "set/stork").symlink_to(root / "disk/stork")
    (root / "disk/heron/circle").symlink_to(root / "set")
    return "set"


def _open_images(root: Path) -> str:
    names = [f"OID/Dataset/train/{label}/{n:016x}.jpg" for n, label in enumerate(["Rugby ball", "Tennis ball"] * 4)]
    put(root, names)
    return "OID"


def _openimages_package(root: Path) -> str:
    put(root, [f"got/{label}/images/{n:016x}.jpg" for n, label in enumerate(["rugby ball", "tennis ball"] * 4)])
    return "got"


def _spellings(root: Path) -> str:
    put(root / "set", numbered("train/Golden Retriever", "train/Poodle", n=6))
    put(root / "set", numbered("test/golden_retriever", "test/poodle", n=2))
    return "set"


def _final_training(root: Path) -> str:
    put(root / "GTSRB", numbered("Final_Training/Images/00000", "Final_Training/Images/00001"))
    put(root / "GTSRB", numbered("Final_Test/Images", n=3))
    return "GTSRB"


def _tiny(root: Path) -> str:
    put(root / "tiny", numbered("train/n01443537/images", "train/n01629819/images") + numbered("val/images", n=3))
    return "tiny"


def _kaggle_names_beside_test(root: Path) -> str:
    put(root / "all", [f"train/{name}.{n}.jpg" for name in ("cat", "dog") for n in range(5)])
    put(root / "all", [f"test1/{n}.jpg" for n in range(4)])
    (root / "all/sampleSubmission.csv").write_text("id,label\n0,0\n1,0\n")
    return "all"


def _defects(root: Path) -> str:
    put(root / "bottle", numbered("train/good", "test/good", "test/broken") + numbered("ground_truth/broken"))
    return "bottle"


def _labels_beside_sides(root: Path) -> str:
    for side, n in (("train", 6), ("test", 2)):
        put(root / "hf", [f"{side}/{n}.jpg" for n in range(n)])
        rows = "".join(f"{n}.jpg,{('cat', 'dog')[n % 2]}\n" for n in range(n))
        (root / "hf" / side / "metadata.csv").write_text(f"file_name,label\n{rows}")
    return "hf"


def _roboflow(root: Path) -> str:
    for side, n in (("train", 6), ("valid", 2), ("test", 2)):
        put(root / "rf", [f"{side}/{n}.jpg" for n in range(n)])
        images = [{"id": n, "file_name": f"{n}.jpg"} for n in range(n)]
        shown = [{"id": n, "image_id": n, "category_id": n % 2} for n in range(n)]
        categories = [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]
        text = json.dumps({"images": images, "annotations": shown, "categories": categories})
        (root / "rf" / side / "_annotations.coco.json").write_text(text)
    return "rf"


def _contest(root: Path) -> str:
    put(root / "contest", [f"train/{n}.jpg" for n in range(8)] + [f"test/{n}.jpg" for n in range(3)])
    rows = "".join(f"{n},{('frog', 'truck')[n % 2]}\n" for n in range(8))
    (root / "contest/trainLabels.csv").write_text(f"id,label\n{rows}")
    (root / "contest/sampleSubmission.csv").write_text("id,label\n0,cat\n1,cat\n")
    return "contest"


def _grades(root: Path) -> str:
    put(root / "grades", [f"{n}.0/{n}-{i}.jpg" for n in (1, 2) for i in range(4)])
    return "grades"


FOLDERS: dict[str, tuple[Callable[[Path], str], dict[str, int]]] = {
    "label folders": (_labels, {"heron": 5, "stork": 5}),
    "Stanford Dogs": (_wrapped, {"Chihuahua": 4, "Japanese_spaniel": 4}),
    "CUB-200 with masks": (_numbered, {"Black_footed_Albatross": 4, "Laysan_Albatross": 4}),
    "Places365": (_letters, {"airfield": 4, "apartment_building/outdoor": 4, "bakery/shop": 4, "bar": 4}),
    "train, validation, test": (_sides, {"Käfer": 10, "犬": 10}),
    "sides below labels": (_sides_below, {"cat": 8, "dog": 8}),
    "a test side without labels": (_unlabelled_test, {"cat": 4, "dog": 4}),
    "Oxford pets": (_names, {"Abyssinian": 5, "great_pyrenees": 5}),
    "cats and dogs of Kaggle": (_kaggle_names, {"cat": 5, "dog": 5}),
    "a cache of Hugging Face": (_hugging_face, {"heron": 7, "stork": 7}),
    "a tree of git-annex": (_annex, {"heron": 5, "stork": 5}),
    "links to folders, one in a circle": (_linked_folder, {"heron": 5, "stork": 5}),
    "the OIDv4 toolkit": (_open_images, {"Rugby ball": 4, "Tennis ball": 4}),
    "the openimages package": (_openimages_package, {"rugby ball": 4, "tennis ball": 4}),
    "GTSRB": (_final_training, {"00000": 4, "00001": 4}),
    "Tiny ImageNet": (_tiny, {"n01443537": 4, "n01629819": 4}),
    "cats and dogs beside test1": (_kaggle_names_beside_test, {"cat": 5, "dog": 5}),
    "MVTec with masks": (_defects, {"good": 8, "broken": 4}),
    "a metadata.csv in each side": (_labels_beside_sides, {"cat": 4, "dog": 4}),
    "Roboflow": (_roboflow, {"cat": 5, "dog": 5}),
    "a contest's tables": (_contest, {"frog": 4, "truck": 4}),
    "labels with a decimal point": (_grades, {"1.0": 4, "2.0": 4}),
    "two spellings": (_spellings, {"Golden Retriever": 8, "Poodle": 8}),
}
"""Beginnings that are folders, and the images of each label that are in them."""
