"""What makes a function a command: the options of every command, the open data set, errors as one paragraph.

A command returns an :class:`Answer`; here it becomes text or JSON on stdout and an exit code.

>>> import inspect
>>> @dataset_command
... def count(dataset: "Dataset", force: bool = False) -> Answer:
...     return Answer(lambda terminal: dataset.name, lambda terminal: terminal.note(dataset.name))
>>> list(inspect.signature(count).parameters)
['force', 'recipe', 'data', 'quiet', 'as_json']
"""

from __future__ import annotations

import functools
import gc
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import typer

from curator.cli.complete import MODELS
from curator.cli.options import DataOption, JsonOption, QuietOption, RecipeOption
from curator.cli.streams import silence_streams
from curator.errors import CuratorError, raises_curator_errors
from curator.store.paths import option_for
from curator.store.root import shown
from curator.text import spell

if TYPE_CHECKING:
    from curator.cli.terminal import Terminal
    from curator.dataset import Dataset
    from curator.events import Listener

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_INTERRUPTED = "Interrupted. Everything finished so far is kept; run the same command again to go on."
_SHARED = {
    "recipe": (RecipeOption, None),
    "data": (DataOption, None),
    "quiet": (QuietOption, False),
    "as_json": (JsonOption, False),
}


@dataclass(frozen=True)
class Answer:
    """What a command ends with: a JSON value, the same for a person, and whether something requested is missing."""

    as_json: Callable[[Terminal], Any] | None
    show: Callable[[Terminal], None]
    is_short: bool = False

    def finish(self, terminal: Terminal, as_json: bool) -> None:
        """Print it; end with exit code 1 if something that was requested is missing."""
        if not as_json:
            self.show(terminal)
        elif self.as_json:
            terminal.json(self.as_json(terminal))
        if self.is_short:
            raise typer.Exit(1)


def dataset_command(
    command: Callable[..., Answer | Iterator[Answer]],
    ahead: Callable[..., AbstractContextManager[None]] = lambda **options: nullcontext(),
) -> Callable[..., None]:
    """Make a command of a function of an open data set; Typer sees its other parameters and the shared options.

    Args:
        command: its first parameter is the data set; it returns an answer, or yields several, each printed at once.
        ahead: given the options, returns what is to be entered before the heavy imports begin.
    """

    def run(recipe: str | None, data: Path | None, quiet: bool, as_json: bool, **options: Any) -> None:
        with ahead(**options):
            with imports():
                from curator.cli.progress import TerminalProgress
                from curator.cli.terminal import Terminal

            bars = TerminalProgress(quiet, option_of(recipe, data))
            try:
                with imports():
                    dataset = open_named(recipe, data, bars)
                done = command(dataset, **options)
                for answer in [done] if isinstance(done, Answer) else done:
                    bars.close()
                    answer.finish(Terminal(bars.option, bars.told), as_json)
            finally:
                bars.close()

    own = list(inspect.signature(command).parameters.values())[1:]
    kind = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter(name, kind, default=default, annotation=annotation)
        for name, (annotation, default) in _SHARED.items()
    ]
    parameters = [*(parameter.replace(kind=kind) for parameter in own), *shared]
    run.__name__, run.__doc__, run.__module__ = command.__name__, command.__doc__, command.__module__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__wrapped__ = command  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return reports_errors(run)


@contextmanager
def imports() -> Iterator[None]:
    """Collect no garbage meanwhile: modules leave next to none, and to look for it takes a seventh of their time.

    Nor is it looked for among them later.
    """
    was_enabled, n_modules = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > n_modules:
            gc.freeze()
        if was_enabled:
            gc.enable()


def open_named(recipe: str | None, data: Path | None, emit: Listener | None = None) -> Dataset:
    """Open the data set that these options mean, its paths relative to the working folder if that is shorter."""
    from curator.dataset import Dataset
    from curator.events import ignore
    from curator.manifests.project import open_project
    from curator.sources.registry import source_kinds

    wanted = recipe and str(shown(Path(recipe)))
    return Dataset(open_project(wanted, data and shown(data), os.environ, source_kinds(), emit or ignore, MODELS))


def option_of(recipe: str | None, data: Path | None) -> str:
    """Return what a proposed command needs to mean the same data set, also in a shell without ``$CURATOR_RECIPE``."""
    return option_for(recipe or os.environ.get("CURATOR_RECIPE"), data)


def _option(options: Mapping[str, Any]) -> str:
    return option_of(options.get("recipe"), options.get("data"))


def reports_errors(
    command: Callable[Parameters, Result], option_of: Callable[[Mapping[str, Any]], str] = _option
) -> Callable[Parameters, Result]:
    """Make a command end with one paragraph and an exit code instead of a traceback, if a person can mend it.

    Args:
        option_of: given the options, returns what a proposed command needs to mean the data set.
    """

    @functools.wraps(command)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return raises_curator_errors(command)(*args, **kwargs)
        except CuratorError as error:
            raise _ended(error.spelled(option_of(kwargs)), error.exit_code) from error
        except KeyboardInterrupt as error:
            raise _ended(spell(error.args[0] if error.args else _INTERRUPTED, option_of(kwargs)), 130) from error
        except BrokenPipeError as error:
            silence_streams()
            raise typer.Exit(0) from error

    return guarded


def _ended(message: str, exit_code: int) -> Exception:
    from curator.cli.terminal import print_error

    try:
        print_error(message)
    except BrokenPipeError:
        silence_streams()
    return typer.Exit(exit_code)
