"""Draw progress: events to bars, in a terminal or a notebook; the only module that knows tqdm.

>>> bars = Bars(quiet=True)
>>> bars(WorkStarted("linking", 3))
>>> bars.close()
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

from curator.events import (
    BatchTrained,
    EpochFinished,
    Event,
    FetchFailed,
    FetchFinished,
    FetchStarted,
    ImageFetched,
    MetadataFinished,
    MetadataRead,
    MetadataStarted,
    ModelMissing,
    Noted,
    SourceListed,
    StageFinished,
    TrainingFinished,
    TrainingStarted,
    Warned,
    WorkAdvanced,
    WorkFinished,
    WorkStarted,
)
from curator.text import Text, as_parts, printable, spell

_FETCH = "fetch"


def training(event: TrainingStarted | BatchTrained | EpochFinished | TrainingFinished) -> str:
    """Name the bar of a training run."""
    return f"{event.model}, seed {event.seed}"


class Bars:
    """A listener that draws a bar for each piece of work, in a terminal or a notebook, and none in a file or pipe.

    It makes a warning of :mod:`warnings` of what a person should know, and prints no remark; the command line's
    listener prints both. ``quiet`` draws no bar.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.bars: dict[str, Any] = {}
        self.by_epoch: set[str] = set()
        self.ok = self.failed = 0
        self.draw: dict[type[Event], Callable[[Any], None]] = {
            Warned: lambda event: self.warn(event.message),
            Noted: lambda event: self.remark(event.message),
            SourceListed: self._source_listed,
            MetadataStarted: lambda event: self._open(event.name, event.total_bytes, "B"),
            MetadataRead: lambda event: self._advance(event.name, event.n_bytes),
            MetadataFinished: lambda event: self._close(event.name),
            FetchStarted: self._fetch_started,
            ImageFetched: lambda event: self._fetched(ok=1),
            FetchFailed: lambda event: self._fetched(failed=1),
            FetchFinished: lambda event: self._close(_FETCH),
            WorkStarted: lambda event: self._open(event.what, event.total, event.unit),
            WorkAdvanced: lambda event: self._advance(event.what, event.n),
            WorkFinished: lambda event: self._close(event.what),
            StageFinished: self._stage_finished,
            TrainingStarted: self._training_started,
            BatchTrained: self._batch_trained,
            EpochFinished: self._epoch_finished,
            TrainingFinished: self._training_finished,
            ModelMissing: lambda event: self.warn((f"{event.model} is left out: ", *as_parts(event.why))),
        }

    def __call__(self, event: Event) -> None:
        """Show one event; an event that has no picture is passed over."""
        if picture := self.draw.get(type(event)):
            picture(event)

    def close(self) -> None:
        """Close every bar."""
        for key in list(self.bars):
            self._close(key)

    def warn(self, text: Text) -> None:
        """Pass on what a person should know."""
        warnings.warn(printable(spell(text)), stacklevel=2)

    def remark(self, text: Text) -> None:
        """Pass over a remark."""

    def _source_listed(self, event: SourceListed) -> None:
        found = ", ".join(f"{label} {n:,}" for label, n in sorted(event.n_images.items())) or "no images"
        self.remark(f"{event.source} listed: {found}")

    def _stage_finished(self, event: StageFinished) -> None:
        same = " (nothing had changed)" if event.skipped else ""
        self.remark(f"{event.stage}: {event.kept:,} of {event.listed:,} images kept{same}")

    def _fetch_started(self, event: FetchStarted) -> None:
        self.ok = self.failed = 0
        self._open(_FETCH, event.total, "image", event.settled)

    def _fetched(self, ok: int = 0, failed: int = 0) -> None:
        self.ok, self.failed = self.ok + ok, self.failed + failed
        if (bar := self.bars.get(_FETCH)) is not None:
            bar.set_postfix_str(f"ok {self.ok:,}, failed {self.failed:,}", refresh=False)
        self._advance(_FETCH, 1)

    def _training_started(self, event: TrainingStarted) -> None:
        key = training(event)
        if not event.n_batches:
            self.by_epoch.add(key)
        unit, an_epoch = ("step", event.n_batches) if event.n_batches else ("epoch", 1)
        self._open(key, event.n_epochs * an_epoch, unit, event.first_epoch * an_epoch)

    def _batch_trained(self, event: BatchTrained) -> None:
        if (bar := self.bars.get(training(event))) is not None:
            figures = f"epoch {event.epoch + 1}: loss {event.loss:.3f}, accuracy {event.accuracy:.3f}"
            bar.set_postfix_str(figures, refresh=False)
            bar.update(1)

    def _epoch_finished(self, event: EpochFinished) -> None:
        if (bar := self.bars.get(training(event))) is not None:
            watched = f"loss {event.loss:.3f}, accuracy {event.accuracy:.3f}, validation {event.watched_accuracy:.3f}"
            bar.set_postfix_str(f"epoch {event.epoch + 1}: {watched}", refresh=False)
            bar.update(1 if training(event) in self.by_epoch else 0)

    def _training_finished(self, event: TrainingFinished) -> None:
        self._close(training(event))
        self.remark(f"{event.model}, seed {event.seed}: {event.accuracy:.3f} after {event.n_epochs} epochs")

    def bar(self, what: str, total: int | None, unit: str, initial: int) -> Any:
        """Return what draws a piece of work, with the methods of tqdm that are called here; None draws nothing."""
        if self.quiet or not (sys.stderr.isatty() or _in_notebook()):
            return None
        return _tqdm()(
            total=total,
            initial=initial,
            desc=printable(what if len(what) <= 30 else f"…{what[-29:]}"),
            unit=unit if unit == "B" else f" {unit}",
            unit_scale=unit == "B",
            dynamic_ncols=True,
            leave=False,
        )

    def _open(self, what: str, total: int | None, unit: str, initial: int = 0) -> None:
        self._close(what)
        self.bars[what] = self.bar(what, total, unit, initial)

    def _advance(self, key: str, n: int) -> None:
        if (bar := self.bars.get(key)) is not None:
            bar.update(n)

    def _close(self, key: str) -> None:
        if (bar := self.bars.pop(key, None)) is not None:
            bar.close()


def write_line(line: str) -> None:
    """Write a line to standard error, above the bars if there are any."""
    if drawing := sys.modules.get("tqdm"):
        drawing.tqdm.write(line, file=sys.stderr)
    else:
        print(line, file=sys.stderr)


def _tqdm() -> Any:
    """Import what draws bars, once one is drawn: most commands of a script draw none."""
    from tqdm.std import TqdmExperimentalWarning

    with warnings.catch_warnings():  # as tqdm.auto does, which also imports asyncio
        warnings.simplefilter("ignore", TqdmExperimentalWarning)
        from tqdm.autonotebook import tqdm
    return tqdm


def _in_notebook() -> bool:
    """Return whether this process is a notebook's kernel."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
