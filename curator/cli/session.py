"""What every command shares: the options of all commands, the open project, and errors told as one paragraph.

>>> per_class_value("max"), per_class_value("1224")
('max', 1224)
"""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import typer

from curator.errors import CuratorError, RecipeError
from curator.errors import Problem as RecipeProblem

if TYPE_CHECKING:
    from curator.manifests.project import Project

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

RecipeOption = Annotated[
    str | None,
    typer.Option("--recipe", metavar="NAME|PATH", help="The recipe; default: $CURATOR_RECIPE, else the only one."),
]
DataOption = Annotated[Path, typer.Option("--data", metavar="DIR", help="Where data sets are kept.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress, only warnings and the result.")]
JsonOption = Annotated[bool, typer.Option("--json", help="The result as JSON on stdout; progress on stderr.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Redo the stage even where nothing changed.")]
PerClassOption = Annotated[
    str | None, typer.Option("--per-class", metavar="N|max", help="Images per label; max: as many as the smallest has.")
]


@dataclass(frozen=True)
class Session:
    """An open project and how its results are to be shown."""

    project: Project
    as_json: bool


@contextmanager
def open_session(recipe: str | None, data: Path, quiet: bool, as_json: bool) -> Iterator[Session]:
    """Open the project that the options mean, with bars on stderr while the command works."""
    from curator.cli.progress import Bars
    from curator.manifests.project import open_project
    from curator.sources.registry import source_kinds

    bars = Bars(quiet)
    try:
        yield Session(open_project(recipe, data, os.environ, source_kinds(), bars), as_json)
    finally:
        bars.close()


def per_class_value(text: str | None) -> int | str | None:
    """Read ``--per-class``: a whole number or ``max``."""
    if text is None or text == "max":
        return text
    if text.isdecimal():
        return int(text)
    raise RecipeError(None, [RecipeProblem("", f"--per-class must be a whole number or max, not {text!r}")])


def reports_errors(command: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Make a command end with one paragraph and an exit code instead of a traceback, where a person can mend it."""

    @functools.wraps(command)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return command(*args, **kwargs)
        except CuratorError as error:
            raise _ended(_completed(error, kwargs), error.exit_code) from error
        except KeyboardInterrupt as error:
            message = "Interrupted. Everything finished so far is kept; run the same command again to go on."
            raise _ended(str(error) or message, 130) from error
        except BrokenPipeError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from error
        except OSError as error:
            trouble = _disk_trouble(error)
            if trouble is None:
                raise
            raise _ended(trouble, 1) from error

    return guarded


def _completed(error: CuratorError, options: dict[str, Any]) -> str:
    """Tell an error, the commands that its hint proposes for the project that the failed one was for."""
    if "recipe" not in options:
        return str(error)
    from curator.manifests.project import complete_commands, option_for

    option = option_for(options["recipe"], options["data"])
    return complete_commands(error.spelled(option), option)


def _ended(message: str, exit_code: int) -> Exception:
    from curator.cli.tables import print_error

    print_error(message)
    return typer.Exit(exit_code)


def _disk_trouble(error: OSError) -> str | None:
    known = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.EISDIR)
    if error.errno not in (*known, errno.ENOTDIR):
        return None
    place = f" {error.filename}" if error.filename else ""
    hint = "Nothing that stood before was lost; mend that, then run the same command again."
    return f"The disk refused{place}: {error.strerror}. {hint}"


def finish(missing: dict[str, Any] | bool) -> None:
    """End with exit code 1 where something that was asked for is missing."""
    if missing:
        raise typer.Exit(1)
