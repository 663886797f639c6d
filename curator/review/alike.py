"""How alike the images are to a chosen one, from the features that ``curator suspects`` has kept.

>>> likenesses_to.__annotations__["return"]
'Values'
"""

from __future__ import annotations

from tokenize import TokenError

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from curator.embed.features import file_name
from curator.embed.likeness import likeness_to
from curator.embed.models import open_embedder
from curator.embed.row_file import RowFile
from curator.embed.squares import read_square
from curator.errors import CuratorError
from curator.manifests.project import Project
from curator.review.images import Images
from curator.store.map_file import read_map
from curator.text import Command

Values = npt.NDArray[np.float64]


def likenesses_to(project: Project, images: Images, record_id: str) -> Values:
    """Return the likeness of each row to one image, itself included: float64 (rows,), NaN where it is not known.

    Raises:
        ValueError: there is no such image, or it has no picture.
        CuratorError: nobody has looked at the pictures yet, or not at this one and it cannot be done now.
    """
    file = _open_features(project)
    row = images.row_of(record_id)
    facts = images.rows(np.array([row]))[0] if row >= 0 else {}
    if not {"sha256", "format", "width"} <= facts.keys():
        raise ValueError("there is no such image, or it has no picture")
    place = file.find([facts["sha256"]])[0]
    if place >= 0:
        one = np.asarray(file.rows["features"][place])
    else:
        embedder = open_embedder(project.recipe.embed, project.recipe.base_dir)
        if file_name(embedder.sha256, embedder.pixels, embedder.side) != file.path.name:
            raise CuratorError("The recipe's network is another now.", ("Run ", Command("suspects"), " again."))
        stored = project.paths.image(facts["sha256"], facts["format"])
        one = embedder.run_image(read_square(stored, facts["sha256"], embedder.side))
    found = likeness_to(one, file, file.find(pc.fill_null(images.table["sha256"], "").to_pylist()))
    found[row] = 1  # the first of the list, whatever rounding did
    return found.astype(np.float64)


def _open_features(project: Project) -> RowFile:
    drawn = read_map(project.paths.features)
    if drawn is not None:
        path = project.paths.features / drawn.features
        try:
            shape = np.lib.format.open_memmap(path, mode="r").dtype["features"].shape
            return RowFile(path, [("features", "<f4", shape)])
        except (OSError, ValueError, KeyError, TokenError, MemoryError):
            pass
    raise CuratorError("Nobody has compared the pictures yet.", ("Run ", Command("suspects"), " once."))
