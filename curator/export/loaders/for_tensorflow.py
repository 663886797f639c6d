"""A split as a ``tf.data.Dataset`` of batches.

The pictures come from the one decoder, not TensorFlow's, so that they are what was hashed and exported.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image

from curator.export.loaders.split_pictures import list_pictures, open_picture
from curator.manifests.project import Project


def to_tf(
    project: Project, split: str, image_size: int | tuple[int, int], batch_size: int, fold: int | None = None
) -> Any:
    """Return float32 pictures (n, height, width, 3) in 0 to 255 and int32 label numbers (n,), in the manifest's order.

    Args:
        image_size: the side, or height and width, in pixels; pictures are resized to it (bilinear, antialiased).
    """
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    pictures, max_pixels = list_pictures(project, split, fold), project.recipe.quality.max_pixels
    labels = np.array([project.recipe.labels.index(label) for _, label in pictures], np.int32)

    def read(name: bytes) -> npt.NDArray[np.float32]:
        resized = open_picture(Path(name.decode()), max_pixels).resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(resized, np.float32)

    def load(name: Any, label: Any) -> tuple[Any, Any]:
        picture = tf.numpy_function(read, [name], tf.float32, stateful=False)
        return tf.ensure_shape(picture, (height, width, 3)), label

    names = tf.constant([str(file) for file, _ in pictures], tf.string)
    whole = tf.data.Dataset.from_tensor_slices((names, labels))
    return whole.map(load, num_parallel_calls=tf.data.AUTOTUNE).batch(batch_size).prefetch(tf.data.AUTOTUNE)
