"""Folders for Keras: ``image_dataset_from_directory("train")`` and ``("test")`` take the labels from their names.

>>> FORMAT.name
'keras'
"""

from __future__ import annotations

from curator.export.material import Format, link_images

FORMAT = Format(
    name="keras",
    summary="folders, as Keras and PyTorch read them",
    write=link_images,
    snippet="""import keras

train = keras.utils.image_dataset_from_directory("train", image_size=(224, 224))
test = keras.utils.image_dataset_from_directory("test", image_size=(224, 224), shuffle=False)""",
)
