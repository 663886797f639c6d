"""Folders for Keras: ``image_dataset_from_directory("train")`` and ``("test")`` take the labels from their names.

Beside them are the lists that it takes instead: ``class_names.txt`` for its ``class_names``, a folder a line in the
order of their numbers; ``train-labels.txt`` and ``test-labels.txt`` for its ``labels``, a number a line in the order in
which it reads the files, by folder and then by name. ``labels.txt`` has the labels as they are written, in the order of
``class_names.txt``. See https://keras.io/api/data_loading/image/.

>>> FORMAT.name
'keras'
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from curator.export.material import Format, Material, link_images, write_lines
from curator.manifests.labels import folder_name


def write_keras(material: Material, folder: Path) -> None:
    """Link the images and write the lists of their labels."""
    link_images(material, folder)
    write_lines(folder / "labels.txt", material.labels)
    write_lines(folder / "class_names.txt", map(folder_name, material.labels))
    for split in material.splits:
        rows = material.of_split(split)
        files = zip(map(PurePosixPath, rows["file"]), map(material.label_index, rows["label"]), strict=True)
        as_read = sorted((str(file.parent), file.name, number) for file, number in files)
        write_lines(folder / f"{split}-labels.txt", (str(number) for _, _, number in as_read))


FORMAT = Format(
    name="keras",
    summary="folders, as Keras and PyTorch read them, and the lists of their labels",
    write=write_keras,
    snippet="""from pathlib import Path

import keras

names = Path("class_names.txt").read_text(encoding="utf-8").splitlines()
options = {"class_names": names, "image_size": (224, 224)}
train = keras.utils.image_dataset_from_directory("train", **options)
test = keras.utils.image_dataset_from_directory("test", **options, shuffle=False)""",
    also=("torch", "pytorch", "torchvision", "lightning", "timm", "fastai", "yolo", "ultralytics"),
)
