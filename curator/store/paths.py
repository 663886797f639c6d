"""Where every file of a data set is: the only module that spells a path.

>>> paths = DataPaths(Path("data"), Path("manifests/rugby-soccer"), "rugby-soccer")
>>> paths.image("ab" + "0" * 62, "jpeg").as_posix()[:34]
'data/rugby-soccer/images/ab/ab0000'
>>> paths.catalog(Stage.DEDUPED).as_posix(), paths.reviews.as_posix()
('data/rugby-soccer/catalog/3-deduped.parquet', 'manifests/rugby-soccer/reviews.jsonl')
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from curator.reasons import Stage
from curator.store import beneath

DATA, MANIFESTS = Path("data"), Path("manifests")
"""Where a project keeps data sets unless ``--data`` says otherwise, and recipes; see :mod:`curator.store.root`."""

RECIPE = "recipe.toml"
"""The recipe's file, in a folder of its own below :data:`MANIFESTS`."""

OWNER = "owner"
"""The file in a data folder that names its recipe; see :mod:`curator.manifests.owner`."""

LOCK = "lock"
"""The file whose lock says that a run is at work."""

SUMS = "sums.jsonl"
"""The file in a data folder with the SHA-256 of the others; see :mod:`curator.store.sums`."""

LEDGER, IMAGES, EXPORTS, STORE = "attempts.sqlite", "images", "exports", "store"

EXPORT_CARD, EXPORT_CREDITS = "README.md", "ATTRIBUTION.md"
"""The data card and the credits in the folder of every export."""

LEFT_BY_SYSTEMS = frozenset((".DS_Store", "Thumbs.db", "desktop.ini"))
"""Files that a system puts into folders that a person opens: they are nobody's own."""

ON_HUB = "hub"
"""The export that was pushed to the Hugging Face hub."""
EXPORT_RECORD = ".curator-export.json"
"""What an export was made of and which files it holds; see :mod:`curator.export.places`."""

ENDINGS = {"jpeg": "jpg", "mpo": "jpg", "tiff": "tif"}
"""Format to file ending, if the two differ."""


def _in_data(*names: str) -> cached_property[Path]:
    return cached_property(lambda paths: paths.folder.joinpath(*names))


def _in_manifest(name: str) -> cached_property[Path]:
    return cached_property(lambda paths: paths.manifest_folder / name)


HELD = PICTURES, FRAMES = "pictures", "frames"
"""Where, below :attr:`DataPaths.sources`, pictures are kept that were taken out of tables and out of videos."""


@dataclass(frozen=True)
class DataPaths:
    """The files of the data set ``name`` under ``data_root``, and beside its recipe in ``manifest_folder``."""

    data_root: Path
    manifest_folder: Path
    name: str

    recipe = _in_manifest(RECIPE)
    manifest = _in_manifest("manifest.csv")
    made_with = _in_manifest("manifest.json")
    """The settings that the manifest was made with; see :mod:`curator.manifests.made_with`."""
    reviews = _in_manifest("reviews.jsonl")
    """What people decided about single images."""
    forgotten = _in_manifest("forgotten.jsonl")
    """What was forgotten for good, as digests."""

    lock = _in_data(LOCK)
    overrides = _in_data("overrides.json")
    """The options that stages were last run with; see :mod:`curator.pipeline.overrides`."""
    attempts = _in_data(LEDGER)
    """The ledger of requests and observations."""
    fragments = _in_data("fragments")
    """What the workers of a cluster are at; see :mod:`curator.fetch.fragments.folder`."""
    fetched_from = _in_data("fetched-from.json")
    """What the last fetch was made from; see :mod:`curator.pipeline.fetched_from`."""
    fetched_files = _in_data("fetched-files.parquet")
    """The local files that its lists named."""
    sources = _in_data("sources")
    """What was obtained of lists and metadata."""
    images = _in_data(IMAGES)
    """The store: each distinct file once."""
    converted = _in_data("converted")
    """PNG forms of the images that a reader of folders could not take as they are."""
    new_folders = _in_data("folders.new")
    """The train and test folders while they are built."""
    old_folders = _in_data("folders.old")
    """Those before them while they are replaced."""
    exports = _in_data(EXPORTS)
    """A folder for each export format."""
    thumbnails = _in_data("thumbnails")
    """Small pictures for the review page and the gallery of duplicates."""
    cache = _in_data("cache")
    """What is kept to save work, and made again if it is missing."""
    features = _in_data("features")
    """What networks see in each image, and what it looks like; see :mod:`curator.embed.features`."""
    suspects = _in_data("catalog", "suspects.parquet")
    """Which images are probably wrong; see :mod:`curator.store.suspects_file`."""
    judged = _in_data("catalog", "judged.parquet")
    """Which pairs of images were compared pixel by pixel; see :mod:`curator.store.judged_file`."""
    judged_elsewhere = _in_data("cache", "judged-elsewhere.parquet")
    """The same of pairs with what ``[dedupe] against`` names."""
    duplicates = _in_data("duplicates.html")
    """The gallery of duplicates."""
    benchmark = _in_data("benchmark")
    """Histories, metrics, plots and the report."""
    benchmark_cache = _in_data("benchmark", "cache")
    """Decoded pictures and features that a benchmark keeps for the next one."""
    benchmark_runs = _in_data("benchmark", "runs")
    """The checkpoint of each training run."""
    benchmark_models = _in_data("benchmark", "models")
    """The saved models, a folder each."""
    metrics = _in_data("benchmark", "metrics.json")
    predictions = _in_data("benchmark", "predictions.csv")
    curve = _in_data("benchmark", "curve.json")
    """The learning curve; see :mod:`curator.benchmark.curve.learning_curve`."""
    ablation = _in_data("benchmark", "ablation.json")
    """What curation bought; see :mod:`curator.inspect.ablation.ablation`."""
    plots = _in_data("benchmark", "plots")
    report = _in_data("benchmark", "report.html")
    replayed_images = _in_data("replay.csv")
    """What became of each image, in the data set that a replay makes."""
    link_rot = _in_data("link-rot.csv")
    """What became of the images of each host, in the data set that a replay makes."""
    truth = _in_data("truth.csv")
    """What the demo planted."""

    @classmethod
    def of_manifest(cls, manifest: Path, data_root: Path | None = None) -> DataPaths:
        """Name the files of the data set that a manifest belongs to.

        Args:
            manifest: ``manifests/NAME/manifest.csv``.
            data_root: where its data is; without it ``data`` beside ``manifests``.
        """
        folder = manifest.parent
        return cls(data_root or folder.absolute().parent.parent / DATA, folder, folder.absolute().name)

    @cached_property
    def folder(self) -> Path:
        """``data/<name>``."""
        return self.data_root / self.name

    @property
    def replay(self) -> DataPaths:
        """The data set that ``curator replay`` of this manifest makes; its manifest is in the folder of its data."""
        name = f"{self.manifest_folder.absolute().name}-replay"
        return DataPaths(self.data_root, self.data_root / name, name)

    @property
    def spool(self) -> DataPaths:
        """Where a replay looks at the images that an object store has, some at a time."""
        return DataPaths(self.sources, self.sources, STORE)

    def catalog(self, stage: Stage) -> Path:
        """The table after ``stage``."""
        number = list(Stage).index(stage) + 1
        return self.folder / "catalog" / f"{number}-{stage}.parquet"

    def catalog_before(self, stage: Stage) -> Path:
        """The table that ``stage`` starts from."""
        return self.catalog(list(Stage)[list(Stage).index(stage) - 1])

    def image(self, sha256: str, image_format: str) -> Path:
        """The stored file with this content."""
        return self.images.joinpath(sha256[:2], f"{sha256}.{ENDINGS.get(image_format, image_format)}")

    def image_text(self, sha256: str, image_format: str) -> tuple[str, str]:
        """The folder of that file and its name, as text: for who makes many, a path object costs more than the file."""
        return f"{self._images_text}/{sha256[:2]}", f"{sha256}.{ENDINGS.get(image_format, image_format)}"

    @cached_property
    def _images_text(self) -> str:
        return str(self.images)

    @cached_property
    def images_absolute(self) -> str:
        """The folder of the store as an absolute path, for who works in another folder."""
        return str(self.images.absolute())

    def converted_image(self, sha256: str) -> Path:
        """The PNG form of the stored file with this content."""
        return self.converted / sha256[:2] / f"{sha256}.png"

    def thumbnail(self, sha256: str) -> Path:
        """The small picture of the stored file with this content."""
        return self.thumbnails / sha256[:2] / f"{sha256}.jpg"

    def files_of(self, contents: Collection[str]) -> list[str]:
        """Name, below the data folder, the stored files with these contents (SHA-256s), and what was made of each."""
        homes = (self.images.name, self.converted.name, self.thumbnails.name)
        return [*self._named_by(contents, homes), *self.held_files(contents)]

    def held_files(self, contents: Collection[str]) -> list[str]:
        """Name, below the data folder, the files with these contents that were taken out of tables and videos."""
        return self._named_by(contents, [*self._held, self._made, f"{self.sources.name}/{STORE}/{IMAGES}"])

    def made_picture(self, sha256: str, making: str) -> Path:
        """The PNG that was made of the stored file with this content; ``making`` says how."""
        digest = hashlib.sha256(making.encode("utf-8")).hexdigest()
        return self.folder / self._made / sha256[:2] / f"{sha256}.{digest[:16]}.png"

    def is_held(self, name: str) -> bool:
        """Say whether a file below the data folder was taken out of a table or video, and is named by its content."""
        return name.startswith(tuple(f"{folder}/" for folder in self._held))

    @property
    def _made(self) -> str:
        return f"{self.sources.name}/made/{IMAGES}"

    @property
    def _held(self) -> list[str]:
        return [f"{self.sources.name}/{kind}/{IMAGES}" for kind in HELD]

    def _named_by(self, contents: Collection[str], homes: Iterable[str]) -> list[str]:
        shards = sorted({sha256[:2] for sha256 in contents})
        folders = [f"{home}/{shard}" for home in homes for shard in shards]
        found = ((folder, name) for folder in folders for name in beneath.list_names(self.folder, folder))
        return [f"{folder}/{name}" for folder, name in found if name.partition(".")[0] in contents]

    def holders_of(self, contents: Collection[str]) -> set[Path]:
        """Find the folders of the other data sets under ``data_root`` that have a file with such a content."""
        others = (path for path in self.data_root.iterdir() if path != self.folder and path.is_dir())
        return {path for path in others if DataPaths(self.data_root, path, path.name).files_of(contents)}

    def split_folder(self, split: str) -> Path:
        """``train`` or ``test``: the folders that Keras and others read."""
        return self.folder / split

    def saved_model(self, name: str) -> Path:
        """The folder of one saved model."""
        return self.benchmark_models / name

    def export(self, form: str) -> Path:
        """The data set in one export format."""
        return self.exports / form

    def against(self, folder: Path) -> Path:
        """What was observed of another data set's folder."""
        digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()
        return self.cache / f"against-{digest[:16]}.parquet"


def option_for(recipe: str | None, data_root: Path | None) -> str:
    """Return what a command needs to mean the data set that these options mean; None is the default.

    >>> option_for("balls", None), option_for(None, Path("my data"))
    (' --recipe balls', " --data 'my data'")
    """
    given = {"recipe": recipe or "", "data": str(data_root) if data_root is not None else ""}
    return "".join(f" --{name} {shlex.quote(value)}" for name, value in given.items() if value)
