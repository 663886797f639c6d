"""What can go wrong, as errors that hold data: one clear paragraph each, saying what, where and what to do next.

>>> error = CuratorError("manifest.csv does not exist.", hint=("Run ", Command("split"), " first."))
>>> print(error)
manifest.csv does not exist. Run `curator split` first.
>>> print(error.spelled(" --recipe balls"))
manifest.csv does not exist. Run `curator split --recipe balls` first.
"""

from __future__ import annotations

import errno
import os
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


_REMEDIES = {  # what a disk answers, or the system for it, when a person can do something about it
    errno.ENOSPC: "Free some space",
    errno.EDQUOT: "Delete some of your files there, or have your quota raised",
    errno.EROFS: "Mount that disk so that it can be written to",
    **dict.fromkeys((errno.EACCES, errno.EPERM), "Check the permissions"),
    errno.ENAMETOOLONG: "Choose a shorter name or folder",
    errno.ELOOP: "Remove the link in its path, or name what it points to",
    errno.ENOTDIR: "Move the file away that stands where a folder must be",
    errno.EISDIR: "Move the folder away that stands where a file must be",
    errno.ENOENT: "Put back what was there",
    errno.EFBIG: "Choose a disk that takes larger files",
    errno.EMLINK: "Choose a disk that takes more links to a file",
    errno.EBUSY: "Wait until nothing else uses it",
    errno.ESTALE: "Mount that disk again",
    **dict.fromkeys((errno.EIO, errno.ENXIO), "Check the disk"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "Allow more open files (ulimit -n 4096)"),
}


def first_remedy(code: int | None) -> str:
    """Say what to do first about an error of the disk, by its ``errno``.

    >>> first_remedy(errno.ENOSPC), first_remedy(errno.EROFS), first_remedy(None)
    ('Free some space', 'Mount that disk so that it can be written to', 'Mend that')
    """
    return _REMEDIES.get(code or 0, "Mend that")


def why(error: BaseException) -> str:
    """Say in words what went wrong, without the number of an error of the system and without its path.

    >>> why(PermissionError(errno.EACCES, "Permission denied", "/a.txt")), why(ValueError("it holds a NUL"))
    ('Permission denied', 'it holds a NUL')
    """
    code = (isinstance(error, OSError) and error.errno) or 0
    return os.strerror(code) if code > 0 else str(error)


def raises_curator_errors(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let a function raise :class:`DiskError` if the disk refused, instead of a bare ``OSError``."""

    @wraps(function)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except OSError as error:
            if error.errno not in _REMEDIES or isinstance(error, BrokenPipeError):
                raise
            place = f" {error.filename}" if error.filename else ""
            again = f"{first_remedy(error.errno)}, then run the same command again."
            who = "system" if error.errno in (errno.EMFILE, errno.ENFILE) else "disk"
            hint = f"Nothing that existed before was lost. {again}"
            raise DiskError(f"The {who} refused{place}: {why(error)}.", hint) from error
        except RuntimeError as error:
            if not is_link_loop(error):
                raise
            hint = f"{first_remedy(errno.ELOOP)}, then run the same command again."
            raise DiskError(f"{error}: {os.strerror(errno.ELOOP)}.", hint) from error

    return guarded


def is_link_loop(error: Exception) -> bool:
    """Return whether an error is what pathlib makes of ``ELOOP``, up to Python 3.12."""
    return isinstance(error, RuntimeError) and "ymlink loop" in str(error)
