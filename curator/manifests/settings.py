"""The sections of a recipe, as frozen settings.

Every default lives here (a source's own defaults live beside the source).

>>> BalanceSettings().per_class
1224
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from curator.manifests.spdx import FAMILIES, is_licence
from curator.manifests.toml_settings import setting, suggest
from curator.store.shards.object_store import URL as STORE_URL
from curator.store.shards.object_store import URL_FORM as STORE_URL_FORM
from curator.text import USERINFO

ARCHIVE = "https://web.archive.org/cdx/search/cdx"
"""The Internet Archive's index: https://github.com/internetarchive/wayback/tree/master/wayback-cdx-server."""


@dataclass(frozen=True)
class FetchSettings:
    """How images are downloaded."""

    target: int = setting(0, "images to obtain per label; 0 means twice per_class", minimum=0)
    connections: int = setting(64, "transfers in flight at once", minimum=1, maximum=1024)
    per_host: int = setting(8, "requests in flight per host", minimum=1, maximum=256)
    delay_s: float = setting(0.0, "least seconds between two requests to one host", minimum=0, maximum=3600)
    timeout_s: float = setting(30.0, "most seconds for one whole request", above=0, maximum=3600)
    retries: int = setting(2, "further tries after a failure that may pass (timeout, 429, 5xx, reset)", minimum=0)
    max_bytes: int = setting(25_000_000, "largest file accepted, in bytes", minimum=1_000)
    proxy: str = setting("", "address of a proxy; those named in the environment are ignored", in_header=True)
    allow_private_hosts: bool = setting(False, "allow loopback, private and link-local addresses")
    honour_noai: bool = setting(True, "leave out images whose X-Robots-Tag says noai, noimageai or noml")
    robots: bool = setting(False, "request each host's robots.txt first, and follow it")
    contact: str = setting(
        "",
        "address or page put in the User-Agent so that a host can reach you",
        in_header=True,
        pattern=(f"(?!{USERINFO}).*", "an address or a page"),
        remark="every host reads it",
    )
    rescue: bool = setting(False, "look dead addresses up in a web archive, and take what it has of them")
    archive: str = setting(
        ARCHIVE,
        "index of that web archive, a CDX server",
        in_header=True,
        pattern=(r"https?://[^\s?#@]+/cdx", f"the http(s) address of a CDX server, which ends in /cdx: {ARCHIVE}"),
    )


@dataclass(frozen=True)
class ListSettings:
    """What reading a list or a table of a source may cost."""

    max_bytes: int = setting(16_000_000_000, "most bytes of one file, once unpacked", minimum=1_000)
    max_rows: int = setting(100_000_000, "most rows of one file", minimum=1)
    max_columns: int = setting(1_000, "most columns of one file", minimum=1)
    max_memory: int = setting(0, "most memory for a source, in bytes; 0: half of what the machine has", minimum=0)
    max_seconds: float = setting(21_600.0, "most seconds for a source", above=0)


@dataclass(frozen=True)
class LicenceSettings:
    """Which licences an image may have."""

    allow: tuple[str, ...] = setting((), "the licences that are allowed; none given: all are, known or not")
    unknown: str = setting("drop", "images that state no licence, or none that is known", choices=("drop", "keep"))

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield each key whose value cannot be, and why."""
        if not self.allow:
            yield "allow", "allow must name the licences that are allowed; without [licence], all are"
        if unknown := [one for one in dict.fromkeys(self.allow) if not is_licence(one)]:
            near = {one: suggest(one, FAMILIES).removeprefix(", ") for one in unknown}
            named = " and ".join(f"{one!r} ({near[one]})" if near[one] else repr(one) for one in unknown)
            known = "" if all(near.values()) else f"; the most used are {', '.join(FAMILIES)}"
            yield (
                "allow",
                f"allow names {named}, which {'is no licence' if len(unknown) == 1 else 'are no licences'}{known}",
            )


@dataclass(frozen=True)
class StoreSettings:
    """Where the images are kept: on this disk alone, or in an object store."""

    url: str = setting("", "an object store that keeps the images: s3://bucket/folder, gs://…, az://… or file:///folder",
                       pattern=(f"({STORE_URL.pattern})?", STORE_URL_FORM),
                       remark="its keys come from the environment, see docs/stores.md")  # fmt: skip
    keep_local: bool = setting(False, "keep every image on this disk too, and make the train and test folders")
    cache_gb: float = setting(2.0, "else most gigabytes of images that stay on this disk to be read again", minimum=0)


@dataclass(frozen=True)
class QualitySettings:
    """Which images are good enough."""

    min_side: int = setting(64, "least shorter side, in pixels", minimum=1)
    max_pixels: int = setting(100_000_000, "most pixels (width x height); larger files are never decoded", minimum=1)
    max_aspect: float = setting(5.0, "most longer side / shorter side", minimum=1)


@dataclass(frozen=True)
class DedupeSettings:
    """Which images are the same picture."""

    mode: str = setting("near", "what counts as the same picture", choices=("near", "exact", "off"))
    max_distance: int = setting(
        10, "most differing bits of 64 for a closer look at two pictures", minimum=0, maximum=16
    )
    rotations: bool = setting(True, "find rotated and mirrored copies too")
    across_labels: str = setting(
        "drop-both", "one picture under two labels", choices=("drop-both", "keep-first", "ignore")
    )
    keep: str = setting(
        "largest", "representative: upright, unmarked, largest; or of the first source", choices=("largest", "first")
    )
    suspect_placeholders: bool = setting(True, "drop what one host serves alike at three or more unrelated addresses")
    against: tuple[str, ...] = setting((), "manifests or folders of images: what they have already is dropped")
    report_only: bool = setting(False, "only report what `against` has already, drop none of it")


PerClass = int | Literal["max", "all"] | Mapping[str, int]


@dataclass(frozen=True)
class BalanceSettings:
    """How many images each label gets."""

    per_class: PerClass = setting(  # noqa: RUF009 (a value that nothing changes)
        1224,
        "images per label: a number; one for each; max: as many as the smallest has; all: what each has",
        minimum=1,
    )

    def wanted_of(self, label: str) -> int:
        """Return the images that this label is to have; 0 if that depends on what there is."""
        wanted = self.per_class.get(label, 0) if isinstance(self.per_class, Mapping) else self.per_class
        return wanted if isinstance(wanted, int) else 0

    def seats(self, have: Mapping[str, int]) -> dict[str, int]:
        """Return the images that each label gets, at least 1, if it has so many.

        >>> BalanceSettings("max").seats({"a": 3, "b": 5}), BalanceSettings("all").seats({"a": 3, "b": 5})
        ({'a': 3, 'b': 3}, {'a': 3, 'b': 5})
        """
        least = {"max": min(have.values())}.get(str(self.per_class))
        return {label: self.wanted_of(label) or max(n if least is None else least, 1) for label, n in have.items()}


PATTERN = "pattern "
"""What the name of a grouping by ``group_pattern`` begins with; the expression follows."""
GROUPINGS = ("near-duplicate", "author", "page", "group", "video", "burst")


@dataclass(frozen=True)
class SplitSettings:
    """Which images train, which choose between models, and which test."""

    ratio: float = setting(0.8, "share of each label in train", above=0, below=1)
    val: int | float | None = setting(
        None, "share of each label in val, such as 0.1, or a whole number of images; test has the rest", above=0
    )
    folds: int | None = setting(None, "divide train into so many folds, to cross-validate", minimum=2, maximum=100)
    train: int | None = setting(None, "exact images per label in train (with test; replaces ratio)", minimum=1)
    test: int | None = setting(None, "exact images per label in test (with train; replaces ratio)", minimum=1)
    seed: int = setting(0, "another seed is another split", minimum=0)
    keep: bool = setting(False, "what the sources list as train, val or test keeps that side")
    stable: bool = setting(True, "images of the previous split keep their side")
    group_by: tuple[str, ...] = setting(GROUPINGS[:4], "what stays on one side of the split", choices=GROUPINGS)
    group_pattern: str = setting("", "regular expression: where it finds the same in names or addresses, one side")

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield each key that does not go with another, and why."""
        if (self.train is None) != (self.test is None):
            yield "train", "train and test go together: set both, or ratio alone"
        elif self.keep and self.train:
            yield "keep", "keep goes with ratio, not with train and test: what is listed is kept"
        if isinstance(self.val, float) and self.train:
            yield "val", f"val must be a whole number of images beside train and test, not {self.val:g}"
        elif isinstance(self.val, float) and self.val >= 1:
            yield "val", f"val must be a share below 1 or a whole number of images, not {self.val:g}"
        elif isinstance(self.val, float) and self.ratio + self.val >= 1:
            yield "val", f"val must be below {1 - self.ratio:.4g}, since ratio is {self.ratio:g} and test has the rest"


@dataclass(frozen=True)
class BenchmarkSettings:
    """Which models are compared, and how they are trained."""

    models: tuple[str, ...] = setting(("cnn", "mobilenet_v2"), "the models to compare")
    preset: str = setting("default", "training settings", choices=("default", "article"))
    epochs: int | None = setting(None, "epochs; the preset's own number if not given", minimum=1)
    seeds: tuple[int, ...] = setting((0, 1, 2), "one training run per seed", minimum=0)
    image_size: int = setting(224, "side of the square input, in pixels", minimum=32, maximum=512)
    batch_size: int = setting(32, "images per step", minimum=1)


@dataclass(frozen=True)
class EmbedSettings:
    """Which network says what a picture looks like."""

    model: str = setting("efficientnet_lite0", "efficientnet_lite0, mobilenet_v2, or the path of an ONNX file")
    pixels: str = setting(
        "imagenet",
        "how pixels are scaled for an ONNX file of floats",
        choices=("imagenet", "unit", "symmetric", "bytes"),
    )


@dataclass(frozen=True)
class SuspectsSettings:
    """How images are found that are probably wrong."""

    folds: int = setting(5, "parts: each image is judged by a model trained on the others", minimum=2, maximum=50)
    neighbours: int = setting(10, "most alike images that an image is compared with", minimum=1, maximum=100)


@dataclass(frozen=True)
class EngineSettings:
    """Where the work is done: on this machine, or on a cluster too; what comes out is the same."""

    kind: str = setting("local", "this machine, or those of a cluster of Ray", choices=("local", "ray"))
    address: str = setting("", "the cluster's address; none: that of RAY_ADDRESS, else the one on this machine")


SECTIONS: Mapping[str, type[Any]] = {
    "fetch": FetchSettings,
    "lists": ListSettings,
    "licence": LicenceSettings,
    "store": StoreSettings,
    "quality": QualitySettings,
    "dedupe": DedupeSettings,
    "balance": BalanceSettings,
    "split": SplitSettings,
    "benchmark": BenchmarkSettings,
    "embed": EmbedSettings,
    "suspects": SuspectsSettings,
    "engine": EngineSettings,
}
