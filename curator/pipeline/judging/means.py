"""With what pictures are compared, and where is kept what was seen.

>>> [field.name for field in fields(Means)][:3]
['judged', 'sketches', 'features']
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import fields as fields
from pathlib import Path

from curator.embed.embedder import Embedder
from curator.events import Listener
from curator.fetch.cluster.spread import Spread
from curator.manifests.project import Project


@dataclass(frozen=True)
class Means:
    """With what pictures are compared, and where is kept what was seen.

    Attributes:
        judged: the file of judged pairs.
        sketches, features: folders; the first holds glimpses, too.
        network: that finds more pairs than hashes do; None: there is none.
        max_pixels: larger pictures are not decoded.
        emit: receives the progress.
        spread: a cluster that helps; None: this machine does all.
    """

    judged: Path
    sketches: Path
    features: Path
    network: Embedder | None
    max_pixels: int
    emit: Listener
    spread: Spread | None = None

    @classmethod
    def of(cls, project: Project, network: Embedder | None, spread: Spread | None) -> Means:
        """Name those of a data set."""
        paths, recipe = project.paths, project.recipe
        return cls(paths.judged, paths.cache, paths.features, network, recipe.quality.max_pixels, project.emit, spread)
