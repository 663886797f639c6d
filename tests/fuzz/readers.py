"""What people read folders of images with; those that are installed."""

import importlib.util

import cv2
import numpy as np
from PIL import Image, ImageOps


def pillow(path):
    """Pillow, as Keras and torchvision's ``ImageFolder`` use it."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def upright(path):
    """Pillow with the EXIF orientation applied, as Hugging Face's datasets use it."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB")).astype(int)


def opencv(path):
    """OpenCV's reader, in RGB."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError("cv2.imread returns None")
    return pixels[..., ::-1].astype(int)


def tensorflow(path):
    """What ``keras.utils.image_dataset_from_directory`` calls."""
    import tensorflow as tf

    decoded = tf.io.decode_image(tf.io.read_file(str(path)), channels=3, expand_animations=False)
    return decoded.numpy().astype(int)


def torchvision(path):
    """The reader of ``torchvision.io``."""
    from torchvision.io import ImageReadMode, read_image

    return read_image(str(path), ImageReadMode.RGB).numpy().transpose(1, 2, 0).astype(int)


READERS = {
    read.__name__: read
    for read in (pillow, upright, opencv, tensorflow, torchvision)
    if read.__name__ in ("pillow", "upright", "opencv") or importlib.util.find_spec(read.__name__)
}
