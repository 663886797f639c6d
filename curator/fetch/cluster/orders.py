"""What a worker of a cluster is told, and what it reports; and which workers are refused. Pure.

>>> ours = made_by()
>>> differences(ours, ours), differences(ours, ours | {"curator": "0.0.9"})
('', 'curator 0.0.9 instead of 0.1.0')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from curator import __version__
from curator.events import Event, Noted
from curator.fetch.attempts import Downgrades
from curator.fetch.fragments.folder import FragmentFolder
from curator.fetch.ledger.schema import VERSION, Remembered
from curator.fetch.plan import FetchOptions
from curator.manifests.recipe import Recipe
from curator.observe.observation import OBSERVER_VERSION
from curator.store.paths import DataPaths
from curator.text import Text

MOST_CLOCK_S = 30.0
"""How much a worker's clock may differ: times of requests, and of what hosts ask for, are recorded by it."""

NO_FOLDER = "Every machine must have the data folder at the same path (NFS, for instance); or --data names another."
"""What to do about a machine that does not see it."""

PATIENCE_S = 15.0
"""After which a person is told that nobody works."""
NOBODY = Noted("no worker of the cluster has answered yet: `ray status` says whether it has a free core")

_DECODERS = ("numpy", "opencv-python-headless", "pillow", "simplejpeg")


@dataclass(frozen=True)
class Order:
    """One fragment to be worked on.

    Attributes:
        number: its own.
        execution: how often it was begun before.
        recipe: without its sources.
        remembered: what previous runs learnt of hosts.
        made_by: see :func:`made_by`, on the machine that gives the order.
        most_seconds: after which no further request is started, and the rest is cut off.
    """

    number: int
    execution: int
    folder: FragmentFolder
    recipe: Recipe
    paths: DataPaths
    options: FetchOptions
    remembered: Remembered
    made_by: Mapping[str, str]
    most_seconds: float

    @property
    def process(self) -> str:
        """What the governor calls who works on it."""
        return f"{self.number}/{self.execution}"


@dataclass(frozen=True)
class Report:
    """What became of it.

    Attributes:
        node: the machine's name.
        is_disk: whether ``problem`` is the disk's.
        problem: what went wrong, and what to do; nothing if all went well.
    """

    node: str
    events: tuple[Event, ...] = ()
    downgrades: Downgrades = field(default_factory=Downgrades)
    problem: str = ""
    hint: Text = ""
    is_disk: bool = False


def made_by() -> dict[str, str]:
    """Return what must be the same on every machine, so that each sees the same in the same bytes."""
    return {
        "curator": __version__,
        "ledger": str(VERSION),
        "observer": str(OBSERVER_VERSION),
        **{name: _version(name) for name in _DECODERS},
    }


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """Name what differs; nothing if all is the same."""
    return ", ".join(
        f"{name} {theirs.get(name, 'missing')} instead of {one}"
        for name, one in ours.items()
        if theirs.get(name) != one
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
