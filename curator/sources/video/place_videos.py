"""Find the videos below a folder, and the label and the side of each, as of pictures in a folder.

>>> is_video("match 1.MP4"), is_video("match 1.jpg")
(True, False)
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from curator.sources.folder.layouts import LAYOUTS, FindLabel, Placed
from curator.sources.folder.walk import list_files

ENDINGS = frozenset(
    f".{ending}"
    for ending in re.findall(r"\w+", "3gp asf avi flv m2ts m4v mkv mov mp4 mpeg mpg mts ogv ts vob webm wmv")
)
"""What the names of videos end with."""


@dataclass(frozen=True)
class PlacedVideo:
    """One video: its file, its name below the folder, its label, and its side of a split, if its place says one."""

    path: Path
    name: str
    label: str
    side: str | None


def is_video(name: str) -> bool:
    """Say whether a file is a video, by the ending of its name."""
    return PurePosixPath(name).suffix.lower() in ENDINGS


def list_place(place: Path, left_out: Counter[str]) -> tuple[Path, list[str]]:
    """Return a folder and the names of the files below it; of a file, its folder and its name."""
    root = Path(os.path.realpath(place))
    if root.is_file():
        return root.parent, [root.name]
    return root, list(list_files(root, left_out, follow_links=False)) if root.is_dir() else []


def place_videos(
    place: Path, layout: str, label: str, find_label: FindLabel, left_out: Counter[str]
) -> tuple[list[PlacedVideo], Counter[str]]:
    """Find each video's label.

    Args:
        place: a folder, or one video.
        layout: of :data:`curator.sources.folder.layouts.LAYOUTS`.
        label: of all of them; empty: where they lie says it.
        find_label: what the name of a folder means.
        left_out: counts what cannot be listed.

    Returns:
        The videos; and how many files are none, by what their names end with, or none of a label, by their folders.
    """
    found, others = list[PlacedVideo](), Counter[str]()
    root, names = list_place(place, left_out)
    for name in names:
        parts = tuple(name.split("/"))
        placed = Placed(label) if label else LAYOUTS[layout](parts, find_label)
        if not is_video(name):
            others[PurePosixPath(name).suffix.lower() or "files without an ending"] += 1
        elif placed.label is None:
            others[parts[0]] += 1
        else:
            found.append(PlacedVideo(root / name, name, placed.label, placed.side))
    return found, others
