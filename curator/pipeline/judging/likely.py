"""What a network holds most alike of each picture: of two copies of which one is turned, it says which is upright.

Pairs are found by hashes and by points that pictures share, whether there is a network or not.

>>> LEAST_COSINE < 1
True
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from curator.embed.embedder import Embedder
from curator.embed.features import embed_images, features_of, open_features
from curator.embed.models import open_embedder
from curator.embed.squares import read_square
from curator.errors import CuratorError, StateError
from curator.events import Warned
from curator.manifests.settings import EmbedSettings
from curator.matching.neighbours import IsWanted, Neighbours, find_neighbours
from curator.pipeline.judging.contents import Contents
from curator.pipeline.judging.means import Means
from curator.pipeline.judging.summaries import by_hash_alone

MOST = 16
"""Neighbours of each picture. Of 250 copies that kept half of each side, among 1,575 photographs, 0.95 have their
original among 16 neighbours, 0.91 among 8."""
LEAST_COSINE = 0.45
"""Smallest cosine of a neighbour: the farthest copy in a hundred that kept half of each side has 0.46, that kept seven
tenths 0.67; 0.2 of the strangers have more."""


def open_network(settings: EmbedSettings, base_dir: Path) -> Embedder | None:
    """Load the network that a recipe names, if that can be."""
    try:
        return open_embedder(settings, base_dir)
    except CuratorError:
        return None


def find_likely(contents: Contents, means: Means, is_wanted: IsWanted | None) -> Neighbours:
    """Find the pairs of contents of which one is among the other's nearest; those without features have none.

    Args:
        contents: to compare.
        means: the network that sees them, the folder that keeps their features, and who is told; without a network,
            there are none.
        is_wanted: whether pairs of contents are worth comparing; without it all are.

    Raises:
        DiskError: the disk refuses.
    """
    network = means.network
    if network is None:
        return find_neighbours(np.empty((0, 1), np.float32), MOST, LEAST_COSINE)
    file, sha256s = open_features(means.features, network), contents.sha256.tolist()
    try:
        embed_images(
            file,
            sha256s,
            network,
            lambda n: read_square(Path(contents.files[n]), sha256s[n], network.side, means.max_pixels),
            means.emit,
        )
    except StateError as error:  # of the few that cannot be read; all others are kept
        means.emit(Warned(by_hash_alone(error)))
        known = np.flatnonzero(file.find(sha256s) >= 0)
    else:
        known = np.arange(len(contents))
    features = features_of(file, contents.sha256[known].tolist())
    wanted = None if is_wanted is None else lambda i, j: is_wanted(known[i], known[j])
    found = find_neighbours(features, MOST, LEAST_COSINE, wanted)
    return found.renumber(known)
