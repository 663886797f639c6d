"""The map of a data set: a point for each picture, beside those of pictures that look like it; one NumPy file.

It lies among the features, a row a content like theirs, so that what is forgotten leaves it with them.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> write_map(folder, PictureMap(["ab" * 32], np.array([[0.5, 1]], np.float32), "tsne", "features-x.npy"))
>>> read_map(folder).title, read_map(folder).points.tolist(), [path.name for path in folder.iterdir()]
('t-SNE', [[0.5, 1.0]], ['map-tsne-features-x.npy'])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError

import numpy as np
import numpy.typing as npt

from curator.store.whole_files import whole_file

TITLES = {"tsne": "t-SNE", "pca": "principal components"}
"""The ways in which a map is drawn, as a file's name and as a person calls them."""

_FIELDS = np.dtype([("sha256", "S64"), ("point", "<f4", (2,))])


@dataclass(frozen=True)
class PictureMap:
    """Contents (SHA-256s) and their points, float32 (contents, 2) in [0, 1]; how, and of which file of features."""

    sha256s: Sequence[str]
    points: npt.NDArray[np.float32]
    way: str
    features: str

    @property
    def title(self) -> str:
        """How it was drawn, in words."""
        return TITLES[self.way]


def write_map(folder: Path, drawn: PictureMap) -> None:
    """Write the map into a folder of features, whole or not at all, in place of any other."""
    rows = np.empty(len(drawn.sha256s), _FIELDS)
    rows["sha256"], rows["point"] = [one.encode() for one in drawn.sha256s], drawn.points
    path = folder / f"map-{drawn.way}-{drawn.features}"
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, rows)
    for other in set(folder.glob("map-*.npy")) - {path}:
        other.unlink(missing_ok=True)


def read_map(folder: Path) -> PictureMap | None:
    """Read the map; None if there is none, or none that can be read: ``curator suspects`` draws it anew."""
    for path in sorted(folder.glob("map-*.npy")):
        _, way, features = path.name.split("-", 2)
        try:
            with path.open("rb") as file:
                rows = np.lib.format.read_array(file)
            if rows.dtype == _FIELDS and rows.ndim == 1 and way in TITLES:
                names = [one.decode() for one in rows["sha256"].tolist()]
                return PictureMap(names, rows["point"], way, features)
        except (OSError, ValueError, EOFError, TokenError, MemoryError):  # the last two: of the header's parser
            continue
    return None
