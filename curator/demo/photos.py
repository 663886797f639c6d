"""A world made of a person's own photographs: `DIR/<label>/*`, half listed by ImageNet, half by Open Images.

Nothing is planted but a few dead links: what else there is to find is in the photographs.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> photo_world(folder)  # doctest: +ELLIPSIS
Traceback (most recent call last):
curator.errors.CuratorError: ... holds 0 folders with files, but at least two labels are needed...
"""

from __future__ import annotations

from pathlib import Path

from curator.demo.alterations import HTML_PAGE
from curator.demo.listing import Answer, LabelNames, Planner, Plant, World
from curator.demo.world import LABEL_NAMES
from curator.errors import CuratorError, why
from curator.manifests.labels import label_problems
from curator.reasons import Drop
from curator.text import plural

DEAD_LINKS_PER_LABEL = 3


def photo_world(folder: Path, seed: int = 0) -> World:
    """Plan a world over ``folder``'s sub-folders, one a label; the files are read when they are requested.

    Raises:
        CuratorError: fewer than two labels, a folder name that cannot be a label, or a folder that cannot be read.
    """
    files = _labelled_files(folder)
    names = {  # true synset and class if they are known, else numbers that none has
        label: LABEL_NAMES.get(label) or LabelNames(f"n99{index:06d}", f"/m/0curator{index}", label)
        for index, label in enumerate(files)
    }
    planner = Planner(seed, names)
    for label, paths in files.items():
        for path in paths:
            address = planner.put("farm", Answer(file=path.absolute()))
            plant = Plant("photo", f"{label}/{path.name}", ())
            if planner.rng.random() < 0.5:
                planner.imagenet(label, address, plant)
            else:
                planner.open_images(label, address, plant)
        for index in range(DEAD_LINKS_PER_LABEL):
            plant = Plant("gone", f"{label}-gone-{index}", (str(Drop.GONE),))
            planner.imagenet(label, planner.put("dead", Answer(HTML_PAGE, 404, "text/html")), plant)
    return World("photos", planner.labels, planner.numbered_listings(), planner.answers)


def _labelled_files(folder: Path) -> dict[str, list[Path]]:
    try:
        folders = [path for path in _visible(folder) if path.is_dir()]
        files = {path.name: [file for file in _visible(path) if file.is_file()] for path in folders}
    except OSError as error:
        hint = "Give a folder of labelled folders."
        raise CuratorError(f"{folder} cannot be read ({why(error)}).", hint) from error
    if problems := list(label_problems(dict.fromkeys(files, ()))):
        raise CuratorError(f"{folder} has folders whose names cannot be labels: {'; '.join(problems)}.", "Rename them.")
    found = {label: paths for label, paths in files.items() if paths}
    if len(found) < 2:
        hint = f"Put the photographs in {folder}/<label>/, one folder a label."
        raise CuratorError(
            f"{folder} holds {plural(len(found), 'folder')} with files, but at least two labels are needed.", hint
        )
    return found


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
