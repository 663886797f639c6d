"""An object store (S3, Google Cloud Storage, Azure, a folder) as this package uses it, through obstore.

Who may write to it, only the environment says, as obstore reads it (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL`` and so
on: https://developmentseed.org/obstore/latest/authentication/). Whatever is told of a failure is written here: no
text of a store reaches a person, as addresses in it may be signed.

>>> import tempfile
>>> store = open_objects(f"file://{tempfile.mkdtemp()}")
>>> store.put_new("index/a", b"0123456789"), store.put_new("index/a", b"other"), store.sizes("index")
(True, False, {'index/a': 10})
>>> store.read_ranges("index/a", [(0, 2), (8, 2)])
[b'01', b'89']
"""

from __future__ import annotations

import errno
import importlib
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from curator.errors import CuratorError, StoreError, first_remedy
from curator.store import beneath
from curator.store.syncing import sync_file

URL = re.compile(r"(s3|gs|az)://[^\s/?#@:]+(/[^\s?#]*)?|file:///[^\s?#]*")
URL_FORM = "the address of an object store, such as s3://bucket/folder, gs://…, az://… or file:///folder"

_RETRIES = {
    "max_retries": 5,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}
_HALF = "#"
"""In the name of a file that is not whole, as obstore writes it in a folder: ``name#1``."""
_PIECE_BYTES = 4 << 20
_OF_A_DISK = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG, errno.EIO)
"""What a store that is a folder may answer, as Rust writes it: ``(os error 13)``."""
_REASONS = (
    *((rf"\(os error {code}\)", os.strerror(code), first_remedy(code)) for code in _OF_A_DISK),
    (r"NoSuchBucket|ContainerNotFound|The specified bucket does not exist", "there is no such bucket", "Make it first"),
    (
        r"169\.254\.169\.254|metadata\.google|Unauthenticated|code: 401|InvalidAccessKeyId|SignatureDoesNotMatch",
        "it knows no such keys",
        "Set them in the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    (
        r"PermissionDenied|status code: 403|AccessDenied|Permission denied",
        "it allows that to nobody with these keys",
        "Ask its owner for the rights to list, read, write and delete there",
    ),
    (r"No space left", "it is full", first_remedy(errno.ENOSPC)),
    (
        r"HTTP error|dns error|timed out|status code: 5\d\d",
        "it cannot be reached",
        "Check the network, and AWS_ENDPOINT_URL if the store is not Amazon's",
    ),
)
SAFE = "What is on this disk stays there, and what the store has is whole: run the same command again."
"""The end of what is told of a store that fails while it is read or filled."""


class MissingObjectError(StoreError):
    """There is no object of that name."""


class _OddKeyError(CuratorError):
    """A listing met a key that cannot be a name here."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True)
class Objects:
    """The objects below one address; their names start there.

    Attributes:
        url: the address, as a recipe gives it.
        store: of obstore.
    """

    url: str
    store: Any

    def put_new(self, name: str, data: bytes) -> bool:
        """Create an object, whole or not at all, unless there is one of that name; return whether there was none."""
        is_new = True
        try:
            with self._told(name, "written"):
                self.store.put(name, data, mode="create")
        except FileExistsError:
            is_new = False
        with self._told(name, "written"):
            self._sync(name)
        return is_new

    def put_file(self, name: str, path: Path) -> None:
        """Write a file as an object, whole or not at all: only for a name that is made of its content."""
        with self._told(name, "written"), path.open("rb") as file:
            self.store.put(name, file)
            self._sync(name)

    def _sync(self, name: str) -> None:
        """Wait until what was put into a folder is on its disk; other stores answer when it is."""
        if (home := self.folder) is not None:
            sync_file(home / name)
            sync_file((home / name).parent)

    @property
    def folder(self) -> Path | None:
        """The folder of this machine that the address means, if it means one."""
        return Path(unquote(self.url.removeprefix("file://"))) if self.url.startswith("file:") else None

    def read(self, name: str, most_bytes: int) -> bytes:
        """Return the bytes of an object; nothing if they are more than so many."""
        with self._told(name, "read"):
            found = self.store.get(name)
            return bytes(found.bytes()) if found.meta["size"] <= most_bytes else b""

    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return parts of an object, each given by offset and length in bytes; near ones in one request."""
        starts, lengths = [one for one, _ in ranges], [one for _, one in ranges]
        with self._told(name, "read"):
            return [bytes(one) for one in self.store.get_ranges(name, starts=starts, lengths=lengths)]

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of an object piece by piece."""
        with self._told(name, "read"):
            if self.folder is not None and _HALF in name:
                with beneath.opened_file(self.folder, name) as opened:
                    yield from iter(lambda: os.read(opened, _PIECE_BYTES), b"")
                return
            for piece in self.store.get(name).stream(min_chunk_size=_PIECE_BYTES):
                yield bytes(piece)

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the names below a folder, sorted, and the bytes of each; see :meth:`listed`."""
        return self.listed(folder)[0]

    def listed(self, folder: str) -> tuple[dict[str, int], str]:
        """Return the names below a folder, sorted, with the bytes of each, and a key there that no name here can be.

        No client of this kind lists such a key (``index//a``), nor what is beside it: then only what comes after
        ``folder/0`` is listed, which is all that is named by a SHA-256.

        Raises:
            StoreError: the store refused, or has several such keys on either side.
        """
        try:
            return self._list(folder), ""
        except _OddKeyError as error:
            odd = error.key
        try:
            return self._list(folder, f"{folder}/0"), odd
        except _OddKeyError as error:
            what = f"{self.url}/{folder} cannot be listed: its key {error.key} is none that a client can read."
            raise StoreError(what, "Delete or rename that object with the store's own tools.") from None

    def _list(self, folder: str, after: str | None = None) -> dict[str, int]:
        with self._told(folder, "listed"):
            try:
                pages = self.store.list(f"{folder}/", offset=after)
                found = {one["path"]: int(one["size"]) for some in pages for one in some}
            except Exception as error:
                if type(error).__name__ != "InvalidPathError":
                    raise
                key = re.search(r'Path "(.*?)"[ :]', str(error), re.DOTALL)
                raise _OddKeyError(ascii(key[1][:200]) if key else "there") from None
        return dict(sorted(found.items()))

    def half_written(self, folder: str) -> dict[str, int]:
        """Return what a writer in a folder of this machine is at, or left when it was killed: no listing has it.

        Other stores keep such parts where only their owner sees them.
        """
        if self.folder is None:
            return {}
        return {name: facts.st_size for name, facts in beneath.walk(self.folder, folder) if _HALF in name}

    def size(self, name: str) -> int | None:
        """Return the bytes of an object; None if it is not there."""
        try:
            with self._told(name, "read"):
                return int(self.store.head(name)["size"])
        except MissingObjectError:
            return None

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
        try:
            with self._told(name, "removed"):
                if self.folder is not None and _HALF in name:
                    beneath.remove(self.folder, name)
                    return
                self.store.delete(name)
        except MissingObjectError:
            return

    def try_rights(self) -> None:
        """Write an object and remove it, and so see what the keys in the environment may do.

        Raises:
            StoreError: one of these is refused.
        """
        name = f"index/.rights-{secrets.token_hex(8)}"
        self.put_new(name, b"")
        self.remove(name)

    @contextmanager
    def _told(self, name: str, done: str) -> Iterator[None]:
        """Turn what obstore raises into a paragraph that holds no text of the store."""
        try:
            yield
        except BaseException as error:
            is_of_store = isinstance(error, Exception) or type(error).__name__ == "PanicException"
            if isinstance(error, CuratorError | FileExistsError) or not is_of_store:
                raise
            if type(error).__name__ == "AlreadyExistsError":
                raise FileExistsError(name) from None
            reason, remedy = _reason(f"{type(error).__name__} {error}".partition("Debug source")[0])
            what = f"{self.url}/{name} cannot be {done}"
            if isinstance(error, FileNotFoundError) and not reason:
                raise MissingObjectError(f"{what}: it is not there.", SAFE) from None
            raise StoreError(f"{what}: {reason or 'the store refused'}.", f"{remedy or 'Mend that'}. {SAFE}") from None


def _reason(text: str) -> tuple[str, str]:
    for pattern, reason, remedy in _REASONS:
        if re.search(pattern, text):
            return reason, remedy
    return "", ""


def open_objects(url: str, *inner: str) -> Objects:
    """Open the store at an address; nothing is requested yet.

    Args:
        inner: folders below it.

    Raises:
        CuratorError: obstore is not installed, or the address cannot be.
        StoreError: a folder cannot be made.
    """
    if not URL.fullmatch(url):
        raise CuratorError(f"{url} is no {URL_FORM.removeprefix('the ')}.", "Keys belong into the environment alone.")
    where = "/".join([url.rstrip("/"), *inner])
    options: dict[str, Any] = {"mkdir": True}
    if not where.startswith("file:"):
        endpoints = (os.environ.get(name, "") for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT"))
        is_plain = any(one.lower().startswith("http://") for one in endpoints)
        options = {"retry_config": _RETRIES, "client_options": {"timeout": "10 min"}}
        options["client_options"] |= {"allow_http": True} if is_plain else {}
    module = _import_obstore()
    found = Objects(where, None)
    with found._told("", "opened"):
        return Objects(where, module.from_url(where, **options))


def _import_obstore() -> Any:
    try:
        return importlib.import_module("obstore.store")
    except ImportError as error:
        hint = "Install what belongs to it with `pip install 'imageset-curator[cloud]'`."
        raise CuratorError("An object store needs the package obstore, which is not installed.", hint) from error
