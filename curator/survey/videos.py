"""Look at folders of videos, and at single ones: which labels they have.

>>> import tempfile
>>> root = Path(tempfile.mkdtemp())
>>> for name in ("heron/1.mp4", "heron/2.MOV", "stork/1.mkv"):
...     (root / name).parent.mkdir(exist_ok=True)
...     (root / name).touch()
>>> found = survey_videos(str(root), Path())
>>> dict(found.counts), found.sources[0]["kind"]
({'heron': 2, 'stork': 1}, 'video')
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curator.manifests.labels import LabelFinder, as_written
from curator.sources.folder.walk import list_files
from curator.sources.reading.places import local_path
from curator.sources.video.place_videos import is_video, place_videos
from curator.survey.finding import Finding
from curator.survey.folders import only_wanted
from curator.survey.proposals import Folder, Proposal, note_unseen, propose

_RATE = (
    "counted are videos, of which a fetch takes one frame a second (`every = 1`, or `scenes = true`, in [[sources]])"
)


def survey_videos(place: str, base_dir: Path, labels: Sequence[str] = ()) -> Finding | None:
    """Look at a folder of videos, or at one video: its name is its label.

    Args:
        place: as a person wrote it.
        base_dir: what a relative place is relative to.
        labels: the labels that are wanted; none: all that there are.

    Returns:
        None if there is no video.
    """
    root = Path(os.path.realpath(local_path(place, base_dir)))
    names = [root.name] if root.is_file() else list(list_files(root, Counter(), follow_links=False))
    videos = [name for name in names if is_video(name)]
    if not videos:
        return None
    proposal = _propose(root, videos)
    path = str(Path(place, *proposal.root)) if proposal.root else place
    source: dict[str, Any] = {"kind": "video", "path": path}
    if not proposal.layout:
        source["label"] = next(iter(proposal.texts.values()))
    elif proposal.layout != "labels":
        source["layout"] = proposal.layout
    found = {label: proposal.names.get(label, ()) for label in sorted(set(proposal.texts.values()), key=str.casefold)}
    found = only_wanted(labels, found) if labels else found
    finder = LabelFinder(found)
    placed, _ = place_videos(
        local_path(path, base_dir), source.get("layout", "labels"), source.get("label", ""), finder.find, Counter()
    )
    counts = Counter(one.label for one in placed if one.label in found)
    return Finding(
        sources=(source,),
        counts=Counter({label: counts[label] for label in found if counts[label]}),
        kind="videos of one label" if "label" in source else "a folder of videos a label",
        label_names={label: others for label, others in found.items() if others},
        notes=(*proposal.notes, _RATE),
        sides=Counter(one.side for one in placed if one.side and one.label in found),
        unit="video",
    )


def _propose(root: Path, videos: Sequence[str]) -> Proposal:
    """Propose where the labels are; what lies in one folder has one label: the name of that, or of the only video."""
    folders = Counter[Folder](tuple(name.split("/")[:-1]) for name in videos)
    if len(folders) > 1:
        return propose(folders)
    [folder] = folders
    label = root.stem if root.is_file() else (root.name, *folder)[-1]
    return Proposal((), "", {folder: as_written(label)}, notes=note_unseen([label]))
