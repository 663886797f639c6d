"""The video source: frames of videos that are on this machine; those of one video stay on one side of the split.

>>> Video(path="matches", label="rugbi").problems(("rugby", "soccer"))
[('label', "names 'rugbi', which is not in labels, did you mean rugby?")]
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd

from curator.errors import SourceError
from curator.events import Noted, Warned
from curator.manifests.toml_settings import setting
from curator.sources.base import ListingContext, PlannedRead, Source, listed_rows, most_frequent, unknown_label
from curator.sources.folder.walk import count_left_out
from curator.sources.named_files import state_of_files
from curator.sources.reading.places import is_url, local_path, scheme_problem
from curator.sources.video.frames import Choice, entry_of, take_frames
from curator.sources.video.place_videos import PlacedVideo, list_place, place_videos
from curator.text import plural

_LAYOUTS = ("labels", "nested", "names")


@dataclass(frozen=True)
class Video(Source):
    """``kind = "video"``: frames of local videos, at a rate or one a scene."""

    kind: ClassVar[str] = "video"

    path: str = setting(doc="a folder of videos, or one video")
    layout: str = setting("labels", "where the label of a video is, as of a picture in a folder", choices=_LAYOUTS)
    label: str = setting("", "the label of all of them, wherever they are")
    every: float = setting(1.0, "seconds from one frame to the next", above=0)
    scenes: bool = setting(False, "take one frame of each scene, in the place of one every so many seconds")
    name: str = setting("", "the source's name in tables; its kind if not given")

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that this source can list."""
        return tuple(label for label in labels if self.label in ("", label))

    def problems(self, labels: Sequence[str]) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = unknown_label(self.label, labels)
        problem = "must be a local path" if is_url(self.path) else scheme_problem(self.path)
        return [*found, ("path", problem)] if problem else found

    def missing(self, base_dir: Path) -> list[tuple[str, str]]:
        """List the local places that are not there now, as (key, message) pairs."""
        path = local_path(self.path, base_dir)
        return [] if path.exists() else [("path", f"names {path}, which is not there")]

    def local_state(self, base_dir: Path) -> str:
        """Hash the names, sizes and times of its files; empty if it has none."""
        root, names = list_place(local_path(self.path, base_dir), Counter())
        return state_of_files((f"{root}/{name}" for name in names), f"{root}/")

    def plan(self, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Return the videos that will be read."""
        videos, _ = self._place(context, Counter())
        return [
            PlannedRead(one.name, one.path.stat().st_size, entry_of(one.path, self._choice, context).exists)
            for one in videos
        ]

    def list_images(self, tier: int, labels: Sequence[str], context: ListingContext) -> pd.DataFrame:
        """Take the frames of the videos of ``labels``; one that cannot be read is named, and the others go on.

        Raises:
            SourceError: there is no video of a label, or none that can be read.
        """
        left_out = Counter[str]()
        videos, others = self._place(context, left_out)
        where = Path(os.path.realpath(local_path(self.path, context.base_dir)))
        if not videos:
            seen = f"; it holds {most_frequent(others)}" if others else ""
            hint = "Put the videos of each label into a folder of its own, or write `label`."
            raise SourceError(f"{where} has no video for {', '.join(context.labels)}{seen}.", hint)
        parts = count_left_out(left_out) + ([f"what is no label's video: {most_frequent(others)}"] if others else [])
        if parts:
            context.emit(Noted(f"{where}: left out {'; '.join(parts)}"))
        rows = [row for video in videos if video.label in labels for row in self._frames(video, context)]
        if not rows and any(video.label in labels for video in videos):
            what = plural(len(videos), "video of it was", "videos of it were")
            raise SourceError(f"{where}: no frame of {what} to be had.", "See the warnings above.")
        names = ("label", "source_id", "local_path", "listed_split", "listed_group")
        columns = {name: pd.array([row[i] for row in rows], dtype="string[pyarrow]") for i, name in enumerate(names)}
        prefix = json.dumps([self.name, *([self.path] if context.has_namesake else [])]) + "\n"
        return listed_rows(self.kind, self.title, tier, {**columns, "key": [prefix + row[1] for row in rows]})

    @property
    def _choice(self) -> Choice:
        return Choice(self.every, self.scenes)

    def _place(self, context: ListingContext, left_out: Counter[str]) -> tuple[list[PlacedVideo], Counter[str]]:
        where = local_path(self.path, context.base_dir)
        return place_videos(where, self.layout, self.label, context.find_label, left_out)

    def _frames(self, video: PlacedVideo, context: ListingContext) -> list[tuple[str, str, str, str | None, str]]:
        try:
            taken = take_frames(video.path, self._choice, context)
        except SourceError as error:
            context.emit(Warned(f"{self.title}: {video.path} was left out: {error.message}"))
            return []
        return [
            (video.label, f"{video.name}#t={at_ms / 1000:.3f}", file, video.side, video.name)
            for at_ms, file in zip(taken.at_ms, taken.files, strict=True)
        ]
