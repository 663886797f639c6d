"""Where every file of a data set stands: the only module that spells a path.

>>> paths = DataPaths(Path("data"), Path("manifests/rugby-soccer"), "rugby-soccer")
>>> paths.image("ab" + "0" * 62, "jpeg").as_posix()[:34]
'data/rugby-soccer/images/ab/ab0000'
>>> paths.catalog(Stage.DEDUPED).as_posix()
'data/rugby-soccer/catalog/3-deduped.parquet'
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from curator.reasons import Stage

DATA = Path("data")
"""Where data sets are kept unless ``--data`` says otherwise."""

ENDINGS = {"jpeg": "jpg", "mpo": "jpg", "tiff": "tif"}
"""Format to file ending, where the two differ."""


@dataclass(frozen=True)
class DataPaths:
    """The files of the data set ``name`` under ``data_root``, and beside its recipe in ``manifest_folder``."""

    data_root: Path
    manifest_folder: Path
    name: str

    @property
    def folder(self) -> Path:
        """``data/<name>``."""
        return self.data_root / self.name

    @property
    def lock(self) -> Path:
        """The file whose lock says that a run is at work."""
        return self.folder / "lock"

    @property
    def attempts(self) -> Path:
        """The ledger of requests and observations."""
        return self.folder / "attempts.sqlite"

    @property
    def sources(self) -> Path:
        """What was obtained of lists and metadata."""
        return self.folder / "sources"

    @cached_property
    def images(self) -> Path:
        """The store: each distinct file once."""
        return self.folder / "images"

    @property
    def converted(self) -> Path:
        """PNG forms of the images that a reader of folders could not take as they are."""
        return self.folder / "converted"

    @property
    def benchmark(self) -> Path:
        """Histories, metrics, plots and the report."""
        return self.folder / "benchmark"

    @property
    def benchmark_cache(self) -> Path:
        """Decoded pictures and features that a benchmark keeps for the next one."""
        return self.benchmark / "cache"

    @property
    def report(self) -> Path:
        """The report."""
        return self.benchmark / "report.html"

    @property
    def manifest(self) -> Path:
        """The manifest."""
        return self.manifest_folder / "manifest.csv"

    @property
    def manifest_settings(self) -> Path:
        """The effective settings that the manifest was made with."""
        return self.manifest_folder / "manifest.json"

    @property
    def reviews(self) -> Path:
        """What people decided about single images."""
        return self.manifest_folder / "reviews.jsonl"

    @property
    def forgotten(self) -> Path:
        """What was forgotten for good, as digests."""
        return self.manifest_folder / "forgotten.jsonl"

    @property
    def thumbnails(self) -> Path:
        """Small pictures for the review page and the gallery of duplicates."""
        return self.folder / "thumbnails"

    @property
    def cache(self) -> Path:
        """What is kept to save work, and made again where it is missing."""
        return self.folder / "cache"

    def against(self, folder: Path) -> Path:
        """What was observed of another data set's folder."""
        digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()
        return self.cache / f"against-{digest[:16]}.parquet"

    @property
    def duplicates(self) -> Path:
        """The gallery of duplicates."""
        return self.folder / "duplicates.html"

    def thumbnail(self, sha256: str) -> Path:
        """The small picture of the stored file with this content."""
        return self.thumbnails / sha256[:2] / f"{sha256}.jpg"

    def export(self, form: str) -> Path:
        """The data set in one export format."""
        return self.folder / "exports" / form

    @property
    def replay(self) -> Path:
        """What `curator replay` of the manifest that stands makes."""
        return self.data_root / f"{self.manifest_folder.absolute().name}-replay"

    def catalog(self, stage: Stage) -> Path:
        """The table after ``stage``."""
        number = list(Stage).index(stage) + 1
        return self.folder / "catalog" / f"{number}-{stage}.parquet"

    def image(self, sha256: str, image_format: str) -> Path:
        """The stored file with this content."""
        return self.images.joinpath(sha256[:2], f"{sha256}.{ENDINGS.get(image_format, image_format)}")

    def image_text(self, sha256: str, image_format: str) -> tuple[str, str]:
        """The folder of that file and its name, as text: for who makes many, a path object costs more than the file."""
        return f"{self._images_text}/{sha256[:2]}", f"{sha256}.{ENDINGS.get(image_format, image_format)}"

    @cached_property
    def _images_text(self) -> str:
        return str(self.images)

    def converted_image(self, sha256: str) -> Path:
        """The PNG form of the stored file with this content."""
        return self.converted / sha256[:2] / f"{sha256}.png"

    def split_folder(self, split: str) -> Path:
        """``train`` or ``test``: the folders that Keras and others read."""
        return self.folder / split

    def split_file(self, split: str, label: str, record_id: str, ending: str) -> Path:
        """One image in the train or test folder."""
        return self.split_folder(split) / label / f"{record_id}.{ending}"
