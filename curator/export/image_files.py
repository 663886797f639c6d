"""Which file of the data folder an image of the manifest is, where the train and test folders are not made.

>>> import tempfile
>>> rows = pd.DataFrame({"file": ["train/a/1.jpg"], "sha256": ["ab" * 32], "format": ["jpeg"]})
>>> files_without_folders(DataPaths(Path(tempfile.mkdtemp()), Path(), "balls"), rows)
{}
"""

from __future__ import annotations

from pathlib import Path as Path

import pandas as pd

from curator.store.image_files import stored_name
from curator.store.image_store import makes_folders
from curator.store.paths import DataPaths


def files_without_folders(paths: DataPaths, rows: pd.DataFrame) -> dict[str, str]:
    """Name, below the data folder, the stored image or the PNG form that stands for each file of a manifest.

    Args:
        paths: of the data set.
        rows: a manifest: ``file``, ``sha256`` and ``format``.

    Returns:
        By ``file``; nothing if the folders are made, and hold these files.
    """
    if makes_folders(paths.folder):
        return {}
    found = {}
    for file, sha256, image_format in zip(rows["file"], rows["sha256"], rows["format"], strict=True):
        converted = paths.converted_image(sha256)
        is_stored = file.endswith(".jpg") or (image_format == "png" and not converted.exists())
        made = converted.relative_to(paths.folder).as_posix()
        found[file] = stored_name(sha256, image_format) if is_stored else made
    return found
