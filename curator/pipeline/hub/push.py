"""Push a data set to the Hugging Face hub: written as Parquet, uploaded, and committed whole or not at all.

>>> Pushed("ann/birds", "https://huggingface.co/datasets/ann/birds", "c0ffee", True, 12, 3, 2)
Pushed('ann/birds', 12 images, private)
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from curator.errors import CuratorError, SourceError
from curator.events import Listener
from curator.export import parquet
from curator.export.export import write_export
from curator.export.material import Material, shareable
from curator.export.places import RECORD, read_record
from curator.export.resizing import Resizing
from curator.manifests.project import Project
from curator.manifests.recipe import FetchSettings
from curator.pipeline.hub.changes import Changes, Commit, OnHub, find_changes, find_strangers
from curator.pipeline.hub.hub_api import Hub, check_name
from curator.pipeline.hub.local_file import LocalFile
from curator.pipeline.hub.upload import upload
from curator.sources.base import ListingContext
from curator.sources.huggingface.hub import ENDPOINT, TOKEN, anybody_reads, hub_address
from curator.sources.reading.json_api import RefusedError
from curator.store.catalog_files import file_digest
from curator.store.json_lines import is_changed
from curator.store.lock import locked
from curator.store.paths import ON_HUB
from curator.text import plural, without_userinfo

_CHANGED_MEANWHILE = (409, 412)
_TRIES = 4
"""So often a commit is made anew if the data set has changed meanwhile, or nobody knows whether it was made."""


@dataclass(frozen=True)
class Pushed:
    """What a push ended with.

    Attributes:
        repo, address: the data set's name on the hub, and its page.
        commit: the name of its latest commit there.
        is_private: whether it is seen by its owner alone.
        n_images: images that are on the hub now.
        n_withheld: images of the manifest that are not, as their licence is not known to allow it.
        n_changed: files that this push added, replaced or removed; 0 if everything was there.
    """

    repo: str
    address: str
    commit: str
    is_private: bool
    n_images: int
    n_withheld: int
    n_changed: int

    def __repr__(self) -> str:
        return f"Pushed({self.repo!r}, {plural(self.n_images, 'image')}, {'private' if self.is_private else 'public'})"


def push_dataset(
    project: Project, repo: str, *, public: bool, any_licence: bool, resizing: Resizing | None = None
) -> Pushed:
    """Write the data set as Parquet below ``exports/hub``, and bring the hub to it in one commit.

    Args:
        repo: ``owner/name``; empty: the data set's name with the owner of the token.
        public: let everyone see it; else it is created private, and a public one is refused.
        any_licence: push the images too whose licence is not known to let them be passed on.

    Raises:
        CuratorError: there is no token, the name cannot be, the hub refuses, or the data set there is of others.
        StateError: there is no manifest, or an image is missing or damaged.
    """
    context = ListingContext((), project.paths.sources, fetch=project.recipe.fetch, emit=project.emit)
    hub = Hub(_address(context.fetch), _token(), context)
    repo = check_name(repo or f"{hub.user()}/{project.recipe.name}")
    withheld: list[int] = []
    select = partial(_select, withheld, any_licence=any_licence, is_changed=resizing is not None)
    with locked(project.paths.lock, "export --to hub"):  # one lock for both: what is written here is what is pushed
        exported = write_export(project, parquet.FORMAT, None, resizing, ON_HUB, select)
        now, n_changed = _bring(hub, repo, _local_files(project.paths.export(ON_HUB)), public, project.emit)
    address = f"{hub.address}/datasets/{repo}"
    return Pushed(repo, address, now.commit, now.is_private, exported.n_images, withheld[0], n_changed)


def _address(fetch: FetchSettings) -> str:
    """Return the hub's address without a name or password: the token alone says who asks.

    Raises:
        CuratorError: the token would cross the open web in clear.
    """
    address = urlsplit(without_userinfo(hub_address())).geturl()
    if anybody_reads(fetch):
        what = f"{ENDPOINT} names {address}: without https, anybody on the way could read the token."
        raise CuratorError(what, f"Write https:// into {ENDPOINT}.")
    return address


def _token() -> str:
    """Return the token of the environment.

    Raises:
        CuratorError: there is none, or none that can be sent.
    """
    token = os.environ.get(TOKEN, "").strip()
    way = (
        f"Make one with write access on {without_userinfo(hub_address())}/settings/tokens, then `export {TOKEN}=hf_…`."
    )
    if not token:
        raise CuratorError(f"The hub wants a token, and {TOKEN} is not in the environment.", way)
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise CuratorError(f"{TOKEN} in the environment is no token.", way)
    return token


def _select(withheld: list[int], material: Material, *, any_licence: bool, is_changed: bool) -> Material:
    """Choose the images to push, and note how many are not.

    Raises:
        CuratorError: none is left.
    """
    chosen = material if any_licence else shareable(material, is_changed=is_changed)
    withheld.append(chosen.n_withheld)
    if not len(chosen.rows):
        what = f"None of {plural(len(material.rows), 'image')} states a licence that lets it be passed on."
        way = "If you may pass them on all the same, such as photographs of your own, say --any-licence."
        raise CuratorError(what, f"{way} Else publish the manifest alone: it holds addresses and no picture.")
    return chosen


def _local_files(folder: Path) -> dict[str, LocalFile]:
    """Return the files of an export by name, and the record of them, by which the next push knows its own."""
    files = {name: LocalFile(folder / name, n_bytes, sha256) for name, (n_bytes, sha256) in read_record(folder).items()}
    record = folder / RECORD
    return {**files, RECORD: LocalFile(record, record.stat().st_size, file_digest(record))}


def _bring(hub: Hub, repo: str, files: dict[str, LocalFile], public: bool, emit: Listener) -> tuple[OnHub, int]:
    """Bring a data set on the hub to these files; return what it is then, and how many files were changed.

    A commit names its parent, so that it never lands on what somebody else has changed meanwhile; and whether one whose
    answer was lost was made is seen by looking again.
    """
    failed: SourceError | None = None
    n_changed = 0
    for _ in range(_TRIES):
        now, changes = _compare(hub, repo, files, public)
        if not changes:
            return now, n_changed
        if failed is not None and not _is_late(failed):
            raise failed
        n_changed = len(changes.added) + len(changes.removed)
        commit = _prepare(hub, repo, now, {name: files[name] for name in changes.added}, changes, emit)
        try:
            return replace(now, commit=hub.commit(repo, commit)), n_changed
        except SourceError as error:
            if isinstance(error, RefusedError) and not _is_late(error):
                raise
            failed = error
    raise CuratorError(f"The data set {repo} changes on the hub as fast as this.", "Run again when nobody else writes.")


def _is_late(error: SourceError) -> bool:
    return isinstance(error, RefusedError) and error.status in _CHANGED_MEANWHILE


def _compare(hub: Hub, repo: str, files: dict[str, LocalFile], public: bool) -> tuple[OnHub, Changes]:
    """Look at the data set, created if need be, and find what differs.

    Raises:
        CuratorError: everyone can see it and nobody said so, or what is there is of others.
    """
    now = hub.look(repo)
    if now is None:
        hub.create(repo, is_private=not public)
        now = hub.look(repo)
    where = f"The data set {hub.address}/datasets/{repo}"
    if now is None:
        raise CuratorError(f"{where} was created and is not there.", "Run the same command again.")
    if not (public or now.is_private):
        raise CuratorError(f"{where} is public: everyone would see the images.", "Say --public if you mean it.")
    earlier = _earlier(hub, repo, now)
    if strangers := find_strangers(files, earlier, now):
        what = f"{where} holds files that no export pushed, first {strangers[0]}."
        raise CuratorError(what, "Choose another name with --repo, or remove them there.")
    known = hub.known(repo, now.commit, sorted({*files} & {*now.files}))
    now = replace(now, files={**now.files, **known})
    return now, find_changes(files, earlier, now, lambda name, one: files[name].is_same(one))


def _earlier(hub: Hub, repo: str, now: OnHub) -> set[str]:
    """Return the names of the files of the push before; none if there was none."""
    if RECORD not in now.files:
        return set()
    facts = hub.text(repo, now.commit, RECORD)
    holds = facts.get("holds") if isinstance(facts, dict) and not is_changed(facts) else None
    return {RECORD, *holds} if isinstance(holds, dict) else set()


def _prepare(hub: Hub, repo: str, now: OnHub, added: dict[str, LocalFile], changes: Changes, emit: Listener) -> Commit:
    """Upload the large ones of the files to add, and compose the commit of all."""
    samples = {name: (file.sample(), file.n_bytes) for name, file in added.items()}
    large = hub.large_ones(repo, samples) if samples else set()
    upload(hub, repo, {name: added[name] for name in added if name in large}, emit)
    return Commit(
        summary="Write the data set with curator",
        parent=now.commit,
        small={name: file.content() for name, file in added.items() if name not in large},
        large={name: (added[name].sha256, added[name].n_bytes) for name in sorted(large)},
        removed=changes.removed,
    )
