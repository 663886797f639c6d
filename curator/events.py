"""What a stage reports while it works: frozen facts in the past tense; only ``cli/progress.py`` draws them.

>>> seen = []
>>> emit: Listener = seen.append
>>> emit(Warned("imagenet could not be listed"))
>>> seen[0].message
'imagenet could not be listed'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from curator.credentials import hide_credentials
from curator.text import Text, as_parts


@dataclass(frozen=True)
class Event:
    """The parent of all events."""


@dataclass(frozen=True)
class Remark(Event):
    """One paragraph for a person; a password that an address in it holds is hidden."""

    message: Text

    def __post_init__(self) -> None:
        """Hide the passwords."""
        parts = as_parts(self.message)
        hidden = tuple(hide_credentials(part) if isinstance(part, str) else part for part in parts)
        object.__setattr__(self, "message", hidden[0] if isinstance(self.message, str) else hidden)


@dataclass(frozen=True)
class Warned(Remark):
    """Something a person should know, though the work goes on."""


@dataclass(frozen=True)
class Noted(Remark):
    """A plain remark: what is about to happen or was decided."""


@dataclass(frozen=True)
class MetadataStarted(Event):
    """A metadata file began to be read; ``total_bytes`` is None if the server does not say."""

    name: str
    total_bytes: int | None


@dataclass(frozen=True)
class MetadataRead(Event):
    """``n_bytes`` more bytes of the metadata file ``name`` were read (transferred bytes, before decompression)."""

    name: str
    n_bytes: int


@dataclass(frozen=True)
class MetadataFinished(Event):
    """The metadata file ``name`` was read to its end (or given up)."""

    name: str


@dataclass(frozen=True)
class SourceListed(Event):
    """A source was listed: ``n_images`` rows per label."""

    source: str
    n_images: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FetchStarted(Event):
    """A round of downloads began; ``total`` images are to be settled, ``settled`` of them were already."""

    total: int
    settled: int = 0


@dataclass(frozen=True)
class ImageFetched(Event):
    """One listed image was downloaded and observed; ``n_bytes`` is its size."""

    url: str
    n_bytes: int


@dataclass(frozen=True)
class FetchFailed(Event):
    """One listed image was given up for this run, with its drop reason."""

    url: str
    reason: str


@dataclass(frozen=True)
class FetchFinished(Event):
    """A round of downloads ended."""


@dataclass(frozen=True)
class WorkStarted(Event):
    """A countable piece of work began, other than a fetch: ``what`` names it, ``unit`` its items."""

    what: str
    total: int
    unit: str = "image"


@dataclass(frozen=True)
class WorkAdvanced(Event):
    """``n`` more items of the work ``what`` were done."""

    what: str
    n: int = 1


@dataclass(frozen=True)
class WorkFinished(Event):
    """The work ``what`` ended."""

    what: str


@dataclass(frozen=True)
class StageFinished(Event):
    """A stage wrote its catalog, or was skipped because nothing it reads had changed."""

    stage: str
    listed: int
    kept: int
    skipped: bool = False


@dataclass(frozen=True)
class TrainingStarted(Event):
    """A model began to train, or went on from a checkpoint: ``first_epoch`` epochs of ``n_epochs`` were done before.

    ``n_batches`` is the steps of one epoch that :class:`BatchTrained` reports; 0 if an epoch is too short for that.
    """

    model: str
    seed: int
    n_epochs: int
    n_batches: int = 0
    first_epoch: int = 0


@dataclass(frozen=True)
class BatchTrained(Event):
    """A step of an epoch (both from 0) was done; ``loss`` and ``accuracy`` are the epoch's means so far."""

    model: str
    seed: int
    epoch: int
    batch: int
    loss: float
    accuracy: float


@dataclass(frozen=True)
class EpochFinished(Event):
    """An epoch (from 0) was trained and its checkpoint written; watched is validation, or test in ``article``."""

    model: str
    seed: int
    epoch: int
    loss: float
    accuracy: float
    watched_loss: float
    watched_accuracy: float
    seconds: float


@dataclass(frozen=True)
class TrainingFinished(Event):
    """A model's training ended after ``n_epochs`` epochs, perhaps early; ``accuracy`` is on the test images."""

    model: str
    seed: int
    n_epochs: int
    accuracy: float


@dataclass(frozen=True)
class ModelMissing(Event):
    """A model was requested but cannot be trained; ``why`` is one paragraph with the way out."""

    model: str
    why: Text


Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Do nothing with an event: the listener of a program that wants no progress."""
