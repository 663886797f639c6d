"""Bars show every event in a terminal and stay silent where they should."""

from __future__ import annotations

import io

import pytest

from curator.cli.progress import TerminalProgress
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

STORY: tuple[Event, ...] = (
    Noted("a note"),
    Warned("a warning"),
    MetadataStarted("a/rather/long/name/of/a/metadata/file.csv", None),
    MetadataRead("a/rather/long/name/of/a/metadata/file.csv", 1000),
    MetadataFinished("a/rather/long/name/of/a/metadata/file.csv"),
    SourceListed("imagenet", {"rugby": 2}),
    FetchStarted(3, 1),
    ImageFetched("http://example.org/1.jpg", 5),
    FetchFailed("http://example.org/2.jpg", "gone"),
    FetchFinished(),
    WorkStarted("linking", 2),
    WorkAdvanced("linking"),
    WorkFinished("linking"),
    StageFinished("fetched", 3, 2),
    TrainingStarted("cnn", 0, 2, 2),
    BatchTrained("cnn", 0, 0, 0, 0.7, 0.5),
    EpochFinished("cnn", 0, 0, 0.7, 0.5, 0.6, 0.6, 1.0),
    TrainingFinished("cnn", 0, 2, 0.6),
    TrainingStarted("mobilenet_v2", 0, 2, 0),
    EpochFinished("mobilenet_v2", 0, 0, 0.7, 0.5, 0.6, 0.6, 1.0),
    TrainingFinished("mobilenet_v2", 0, 2, 0.9),
    ModelMissing("mobilenet_v2", "no weights"),
)


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def tell(quiet: bool, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("sys.stderr", stream)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    bars = TerminalProgress(quiet)
    for event in STORY:
        bars(event)
    assert not bars.bars, "every bar was closed by its own event"
    bars.close()
    return stream.getvalue()


def test_a_terminal_gets_bars_with_counts_and_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fetch bar counts ok and failed; the training bar shows loss and accuracy."""
    text = tell(False, Terminal(), monkeypatch)
    assert "fetch: " in text and "\x1b[33mwarning: a warning" in text
    assert "imagenet listed: rugby 2" in text and "cnn, seed 0: 0.600 after 2 epochs" in text


def test_a_resumed_training_starts_its_bar_where_it_was_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Epochs of an earlier run count as done, but not as done in no time: they would spoil the time left."""
    monkeypatch.setattr("sys.stderr", Terminal())
    bars = TerminalProgress()
    bars(TrainingStarted("cnn", 0, 10, 4, 5))
    (bar,) = bars.bars.values()
    assert (bar.initial, bar.n, bar.total) == (20, 20, 40)
    bars.close()


def test_a_pipe_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """No carriage returns and no colour where nobody watches."""
    text = tell(False, io.StringIO(), monkeypatch)
    assert "\x1b" not in text and "\r" not in text
    assert "fetched: 2 of 3 images kept" in text


def test_quiet_leaves_only_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person must know is said all the same."""
    lines = tell(True, Terminal(), monkeypatch).replace("\x1b[33m", "").replace("\x1b[0m", "").splitlines()
    assert lines == ["warning: a warning", "warning: mobilenet_v2 is left out: no weights"]
