"""What can go wrong, as errors that hold data: one clear paragraph each, saying what, where and what to do next.

>>> error = CuratorError("manifest.csv does not exist.", hint=("Run ", Command("split"), " first."))
>>> print(error)
manifest.csv does not exist. Run `curator split` first.
>>> print(error.spelled(" --recipe balls"))
manifest.csv does not exist. Run `curator split --recipe balls` first.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from curator.text import Command, Text, as_parts, hide_credentials, spell

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class CuratorError(Exception):
    """An error meant for a person: what happened and, in ``hint``, what to do next; passwords are hidden."""

    exit_code = 2

    def __init__(self, message: str, hint: Text = "") -> None:
        self.message = hide_credentials(message)
        self.hint = hint
        super().__init__(self.spelled())

    @property
    def text(self) -> tuple[str | Command, ...]:
        """The paragraph, its commands as data."""
        if not self.hint:
            return (self.message.strip(),)
        return (self.message if self.message.endswith("\n") else f"{self.message} ", *as_parts(self.hint))

    def spelled(self, option: str = "") -> str:
        """Return the paragraph, its commands typed with ``option``, which names the data set."""
        return spell(self.text, option)


@dataclass(frozen=True)
class Problem:
    """One mistake in a recipe: where it is and what is wrong with it."""

    where: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"line {self.line}:" if self.line else ""
        return " ".join(part for part in (place, self.where, self.message) if part)


class RecipeError(CuratorError):
    """A recipe that cannot be used; ``problems`` holds every mistake in it, not only the first."""

    def __init__(self, path: Path | None, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            super().__init__(f"{self._name}: {self.problems[0]}")
        else:
            lines = "\n".join(f"  - {problem}" for problem in self.problems)
            super().__init__(f"{self._name} has {len(self.problems)} mistakes:\n{lines}")

    @property
    def _name(self) -> str:
        return str(self.path) if self.path else "recipe"


class OptionError(RecipeError):
    """What was typed, or passed as an argument, in the place of what a recipe says; the recipe itself is all right."""

    def __init__(self, *problems: str) -> None:
        super().__init__(None, [Problem("", problem) for problem in problems])
        if len(problems) == 1:
            CuratorError.__init__(self, problems[0])

    @property
    def _name(self) -> str:
        return "what was typed"


class SourceError(CuratorError):
    """A source that cannot be listed; the other sources go on without it."""


class StateError(CuratorError):
    """The files on disk are not what a stage needs: missing, damaged, or written by a newer version."""


class NewerError(StateError):
    """A file was written by a newer version: it must be neither read nor overwritten."""


class ShortfallError(CuratorError):
    """The work ended, but with less than was requested; ``missing`` counts the images missing per label."""

    exit_code = 1

    def __init__(self, message: str, hint: Text = "", missing: dict[str, int] | None = None) -> None:
        super().__init__(message, hint)
        self.missing = dict(missing or {})


class LockedError(CuratorError):
    """Another run holds the data set."""

    exit_code = 1


class DiskError(CuratorError):
    """The disk refused a write: full, read-only or not permitted. What was there before is kept."""

    exit_code = 1


class StoreError(CuratorError):
    """The object store refused or cannot be reached. What is on the disk, and what the store has, is kept."""

    exit_code = 1


_REFUSALS = frozenset(
    (
        *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.EISDIR),
        *(errno.ENOTDIR, errno.EIO, errno.ENXIO, errno.ESTALE, errno.EFBIG, errno.EMLINK, errno.ELOOP, errno.EBUSY),
        *(errno.ENAMETOOLONG, errno.EMFILE, errno.ENFILE),
    )
)
"""What a disk answers, or the system for it, when a person can do something about it."""


def raises_curator_errors(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let a function raise :class:`DiskError` if the disk refused, instead of a bare ``OSError``."""

    @wraps(function)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except OSError as error:
            if error.errno not in _REFUSALS or isinstance(error, BrokenPipeError):
                raise
            place = f" {error.filename}" if error.filename else ""
            hint = "Nothing that existed before was lost; mend that, then run the same command again."
            who = "system" if error.errno in (errno.EMFILE, errno.ENFILE) else "disk"
            raise DiskError(f"The {who} refused{place}: {error.strerror}.", hint) from error

    return guarded
