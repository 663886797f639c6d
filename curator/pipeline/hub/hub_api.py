"""What is asked of the Hugging Face hub to push a data set, over its HTTP API, through the guarded client.

The commit API and its pre-upload: https://huggingface.co/docs/hub/api, as ``huggingface_hub`` uses it; large files by
the batch API of Git LFS: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md. The token goes to the hub's
own origin and nowhere else, and stands in no message.

>>> _is_name("ann/pets"), _is_name("ann/pets/x"), _is_name("../pets")
(True, False, False)
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from curator.errors import CuratorError
from curator.pipeline.hub.changes import Commit, Known, OnHub
from curator.sources.base import ListingContext
from curator.sources.huggingface.hub import TOKEN
from curator.sources.reading.http import origin_of
from curator.sources.reading.json_api import JsonApi, RefusedError, Reply, Sent
from curator.sources.reading.places import is_url

JSON, LINES, FORM = "application/json", "application/x-ndjson", "application/x-www-form-urlencoded"
LFS = "application/vnd.git-lfs+json"
SAMPLE_BYTES = 512
"""So much of the beginning of a file the hub wants to see before it says where the file goes."""
_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,94}\w)?/[A-Za-z0-9_](?:[\w.-]{0,94}\w)?")


class Hub:
    """The hub, for one who has a token.

    Args:
        address: the hub's, without a slash at its end.
        token: who asks.
        context: how to reach the network, and what to emit.
    """

    def __init__(self, address: str, token: str, context: ListingContext) -> None:
        self.address, self._token, self._context = address, token, context

    def user(self) -> str:
        """Return the name of the token's owner."""
        name = _object(self._get(f"{self.address}/api/whoami-v2", "whoami")).get("name")
        if not isinstance(name, str) or not _is_name(f"{name}/x"):
            self._odd("does not say whose token it is")
        return name

    def look(self, repo: str) -> OnHub | None:
        """Return a data set as it is; None if there is none, or none that the token may see."""
        try:
            facts = _object(self._get(f"{self._api(repo)}/revision/main", repo))
        except RefusedError as error:
            if error.status == 404:
                return None
            raise
        files, commit = facts.get("siblings"), facts.get("sha")
        if not isinstance(files, list) or not isinstance(commit, str) or not re.fullmatch("[0-9a-f]{7,64}", commit):
            self._odd(f"does not say what {repo} holds")
        names = [str(_object(file).get("rfilename")) for file in files]
        return OnHub(commit, facts.get("private") is True, dict.fromkeys(names))

    def known(self, repo: str, commit: str, names: Sequence[str]) -> dict[str, Known]:
        """Return what the hub knows of files at a commit, of those that are there."""
        fields = urlencode([*(("paths", name) for name in names), ("expand", "False")])
        answer = self._post(f"{self._api(repo)}/paths-info/{commit}", FORM, fields.encode("ascii"))
        entries = [_object(entry) for entry in answer] if isinstance(answer, list) else []
        return {
            str(entry.get("path")): Known(str(entry.get("oid", "")), str(_object(entry.get("lfs")).get("oid", "")))
            for entry in entries
        }

    def text(self, repo: str, commit: str, name: str) -> Any:
        """Return a file of a data set that holds JSON."""
        return self._get(f"{self.address}/datasets/{quote(repo)}/resolve/{commit}/{quote(name)}", name)

    def create(self, repo: str, *, is_private: bool) -> None:
        """Create an empty data set; one that somebody has created meanwhile is left as it is."""
        owner, _, name = repo.partition("/")
        facts = {"type": "dataset", "name": name, "private": is_private}
        if owner != self.user():
            facts["organization"] = owner
        try:
            self._post_json(f"{self.address}/api/repos/create", facts)
        except RefusedError as error:
            if error.status != 409:
                raise

    def large_ones(self, repo: str, files: Mapping[str, tuple[bytes, int]]) -> set[str]:
        """Return which files go into large file storage, by the beginning of each and its size."""
        found: dict[str, str] = {}
        names = list(files)
        for start in range(0, len(names), 256):
            asked = [
                {"path": name, "sample": base64.b64encode(files[name][0]).decode("ascii"), "size": files[name][1]}
                for name in names[start : start + 256]
            ]
            answer = _object(self._post_json(f"{self._api(repo)}/preupload/main", {"files": asked}))
            told = answer.get("files")
            found |= {str(_object(one).get("path")): str(_object(one).get("uploadMode")) for one in told or ()}
        if {*found} != {*files} or not {*found.values()} <= {"lfs", "regular"}:
            self._odd("does not say where each file goes")
        return {name for name, mode in found.items() if mode == "lfs"}

    def wanted_uploads(self, repo: str, contents: Mapping[str, int]) -> dict[str, dict[str, Any]]:
        """Return how each content (by its SHA-256, with its size) is uploaded; those that the hub has are left out."""
        facts = {
            "operation": "upload",
            "transfers": ["basic", "multipart"],
            "objects": [{"oid": sha256, "size": n_bytes} for sha256, n_bytes in contents.items()],
            "hash_algo": "sha256",
            "ref": {"name": "main"},
        }
        url = f"{self.address}/datasets/{quote(repo)}.git/info/lfs/objects/batch"
        told = [_object(one) for one in _object(self._post_json(url, facts, LFS)).get("objects") or ()]
        for one in told:
            if error := _object(one.get("error")):
                self._odd(f"does not take a file: {str(error.get('message'))[:200]}")
        if {one.get("oid") for one in told} != {*contents}:
            self._odd("does not say how each file is uploaded")
        return {str(one["oid"]): _object(one["actions"]) for one in told if one.get("actions")}

    def put(self, url: str, sent: Sent, headers: Mapping[str, Any], reading: str = "") -> Reply:
        """Send something to an address that the hub gave, with the headers that it gave for it."""
        if not is_url(url) or (self.address.startswith("https:") and not url.startswith("https:")):
            self._odd("names an address for an upload that is none")
        lines = [f"{name}: {value}" for name, value in headers.items() if _is_line(f"{name}: {value}")]
        own = [] if any(line.lower().startswith("authorization:") for line in lines) else self._headers_for(url)
        return self._sent(url, sent, [*own, *lines], reading, (self._hints[0], self._hints[0]))

    def commit(self, repo: str, commit: Commit) -> str:
        """Commit, and return the commit's name.

        Raises:
            RefusedError: with the status 409 or 412, if the data set has changed since the commit's parent.
        """
        answer = _object(self._post(f"{self._api(repo)}/commit/main", LINES, commit.lines()))
        return str(answer.get("commitOid", ""))

    def _api(self, repo: str) -> str:
        return f"{self.address}/api/datasets/{quote(repo)}"

    def _headers_for(self, url: str) -> list[str]:
        return [f"Authorization: Bearer {self._token}"] if origin_of(url) == origin_of(self.address) else []

    def _get(self, url: str, reading: str) -> Any:
        try:
            with JsonApi(url, "hub", self._context, self._headers_for(url), self._hints) as api:
                return api.ask({}, reading)
        except CuratorError as error:
            raise self._without_token(error) from None

    def _post_json(self, url: str, facts: Mapping[str, Any], kind: str = JSON) -> Any:
        return self._post(url, kind, json.dumps(facts).encode("ascii"))

    def _post(self, url: str, kind: str, data: bytes) -> Any:
        accept = [f"Accept: {kind}"] if kind == LFS else []
        reply = self._sent(url, Sent.of("POST", kind, data), [*self._headers_for(url), *accept], "")
        try:
            return JsonApi(url, "hub", self._context, (), self._hints).parsed(reply.body)
        except CuratorError as error:
            raise self._without_token(error) from None

    def _sent(
        self, url: str, sent: Sent, headers: Sequence[str], reading: str, hints: tuple[str, str] | None = None
    ) -> Reply:
        try:
            with JsonApi(url, "hub", self._context, headers, hints or self._hints, follows=False) as api:
                return api.send(sent, reading)
        except CuratorError as error:
            raise self._without_token(error) from None

    @property
    def _hints(self) -> tuple[str, str]:
        where = f"{self.address}/settings/tokens"
        refused = f"The token in {TOKEN} is refused for this: it needs write access. Make one on {where}."
        return f"{_KEPT} Run the same command again.", refused

    def _odd(self, what: str) -> NoReturn:
        raise self._without_token(CuratorError(f"The hub {self.address} {what}.", self._hints[0]))

    def _without_token(self, error: CuratorError) -> CuratorError:
        """Return an error that does not say the token, should a server have said it."""
        message = error.message.replace(self._token, "…")
        if isinstance(error, RefusedError):
            return RefusedError(message, error.hint, error.status)
        return type(error)(message, error.hint)


_KEPT = "No commit was made, and what is uploaded already is not sent twice."


def _is_name(repo: str) -> bool:
    """Say whether a text can name a data set on the hub."""
    return _NAME.fullmatch(repo) is not None and ".." not in repo and "--" not in repo and not repo.endswith(".git")


def check_name(repo: str) -> str:
    """Return the name of a data set if it can be one.

    Raises:
        CuratorError: it cannot.
    """
    if not _is_name(repo):
        what = f"{repo!r} cannot be the name of a data set on the hub."
        raise CuratorError(what, "Write it as --repo OWNER/NAME: letters, digits, -, _ and . only.")
    return repo


def _is_line(line: str) -> bool:
    return line.isascii() and line.isprintable()


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
