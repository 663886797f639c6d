"""Plan the rendered world: two classes of scene over two sources, with planted trouble, and the truth about it.

>>> from curator.demo.drawing.scenes import draw_scene, encode_jpeg
>>> pictures = [encode_jpeg(draw_scene("rugby", (0,)), 80)] * LEAST_N_PER_LABEL
>>> world = plan_world(0, {"rugby": pictures, "soccer": pictures})
>>> sorted(world.labels), any(listing.plant.kind == "mirrored-copy" for listing in world.listings)
(['rugby', 'soccer'], True)
"""

from __future__ import annotations

from curator.demo.drawing.gallery import Gallery, draw_gallery
from curator.demo.listing import LabelNames, World
from curator.demo.planner import Planner
from curator.demo.trouble import plant_trouble

LABEL_NAMES = {
    "rugby": LabelNames("n00470966", "/m/06bqd", "Rugby"),
    "soccer": LabelNames("n00478262", "/m/02vx4", "Soccer"),
}
DEFAULT_SEED = 0
DEFAULT_N_PER_LABEL = 150
LEAST_N_PER_LABEL = 16


def build_world(seed: int = DEFAULT_SEED, n_per_label: int = DEFAULT_N_PER_LABEL) -> World:
    """Draw and plan a world; the same one for the same seed and size, byte for byte.

    Args:
        seed: another seed is another world.
        n_per_label: distinct scenes a label, at least 16; trouble is planted in proportion, each kind at least once.

    Raises:
        ValueError: ``n_per_label`` is under 16.
    """
    if n_per_label < LEAST_N_PER_LABEL:
        raise ValueError(f"n_per_label must be >= {LEAST_N_PER_LABEL}, not {n_per_label}")
    return plan_world(seed, draw_gallery(seed, n_per_label))


def plan_world(seed: int, gallery: Gallery) -> World:
    """Place a gallery's pictures over the sources and plant the trouble among them."""
    planner = Planner(seed, LABEL_NAMES)
    n_per_label = min(len(pictures) for pictures in gallery.values())
    plant_trouble(planner, gallery)
    per_class = max(1, n_per_label * 2 // 3)
    return World("demo", LABEL_NAMES, planner.numbered_listings(), planner.answers, per_class)
