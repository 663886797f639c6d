"""A hub on this machine that answers pushes as the real one does: its API, Git LFS storage on another origin, refusals.

What it answers was read off its public documentation and off ``huggingface_hub``, which a test lets push to it as well.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.small_webs import serving

Reply = tuple[int, dict[str, str], bytes]
CUT = "cut"
"""A fault: the connection ends without an answer. ``done and cut``: the work is done first."""
DONE_AND_CUT = "done and cut"
READER, WRITER = "hf_readOnly", "hf_mayWrite"
ATTRIBUTES = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"


def git_name(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Repo:
    """A data set: who may see it, its files, and its history."""

    is_private: bool
    files: dict[str, bytes] = field(default_factory=lambda: {".gitattributes": ATTRIBUTES})
    large: set[str] = field(default_factory=set)
    commits: list[str] = field(default_factory=lambda: ["0" * 40])


@dataclass
class FakeHub:
    """Its data sets by name, its storage by SHA-256, and what was asked of it.

    Attributes:
        faults: by a pattern of ``METHOD path``, what the next requests that match it get instead of an answer.
        parts_of: contents of more bytes than this are uploaded in parts of so many.
        broken: what no client may do, and one did.
    """

    url: str = ""
    storage_url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    storage: dict[str, bytes] = field(default_factory=dict)
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    faults: dict[str, list[Any]] = field(default_factory=dict)
    before: list[tuple[str, Callable[[], None]]] = field(default_factory=list)
    parts_of: int = 1 << 40
    ignores_private: bool = False
    broken: set[str] = field(default_factory=set)

    def count(self, pattern: str) -> int:
        return sum(bool(re.search(pattern, f"{method} {path}")) for method, path, _ in self.asked)

    def fault_for(self, what: str) -> Any:
        for number, (pattern, change) in enumerate(self.before):
            if re.search(pattern, what):
                del self.before[number]
                change()
                break
        for pattern, waiting in self.faults.items():
            if waiting and re.search(pattern, what):
                return waiting.pop(0)
        return None

    def answer(self, method: str, path: str, query: dict[str, list[str]], headers: Any, body: bytes) -> Reply:
        """Answer a request to the hub itself, or to its storage."""
        if path.startswith("/storage/"):
            return self._store(path, query, headers, body)
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in ("", READER, WRITER):
            return self.say(401, {"error": f"Invalid credentials {token} in Authorization header"})
        if path == "/api/whoami-v2":
            return self.say(200, {"name": "ann", "type": "user"}) if token else self.say(401, {"error": "Invalid"})
        if method == "POST" and "/paths-info/" not in path and token != WRITER:
            return self.say(403, {"error": "Forbidden: you must use a write token to upload to a repository."})
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        return self._of_repo(method, path, token, body)

    def say(self, status: int, value: Any) -> Reply:
        return status, {"Content-Type": "application/json"}, json.dumps(value).encode()

    def _create(self, facts: dict[str, Any]) -> Reply:
        name = f"{facts.get('organization') or 'ann'}/{facts['name']}"
        if facts.get("type") != "dataset":
            self.broken.add("created something else than a data set")
        if name in self.repos:
            return self.say(
                409, {"error": "You already created this dataset repo", "url": f"{self.url}/datasets/{name}"}
            )
        if not name.startswith("ann/"):
            return self.say(403, {"error": "You don't have the rights to create a dataset under this namespace"})
        private = facts.get("private", facts.get("visibility") == "private")
        self.repos[name] = Repo(bool(private) and not self.ignores_private)
        return self.say(200, {"url": f"{self.url}/datasets/{name}", "name": name, "id": "1"})

    def _of_repo(self, method: str, path: str, token: str, body: bytes) -> Reply:
        found = re.fullmatch(r"/(?:api/|api/resolve-cache/)?datasets/([^/]+/[^/]+?)(?:\.git)?(/.*)?", path)
        repo = self.repos.get(found[1]) if found else None
        if not found or repo is None or (repo.is_private and not token):
            return self.say(404 if token else 401, {"error": "Repository not found"})
        rest = found[2] or ""
        if method == "GET" and rest in ("", "/revision/main"):
            files = [{"rfilename": name} for name in repo.files]
            facts = {"id": found[1], "sha": repo.commits[-1], "private": repo.is_private, "siblings": files}
            return self.say(200, facts)
        if rest.startswith("/resolve/"):
            commit, _, name = rest.removeprefix("/resolve/").partition("/")
            return 307, {"Location": f"/api/resolve-cache/datasets/{found[1]}/{commit}/{name}"}, b""
        if "/resolve-cache/" in path:
            return 200, {}, repo.files[unquote(rest.split("/", 2)[2])]
        if rest.startswith("/paths-info/"):
            return self._paths(repo, parse_qs(body.decode()).get("paths", []))
        answers: dict[str, Callable[[Repo, str, bytes], Reply]] = {
            "/preupload/main": self._preupload,
            "/info/lfs/objects/batch": self._batch,
            "/info/lfs/verify": self._verify,
            "/info/lfs/complete": self._complete,
            "/commit/main": self._commit,
        }
        return answers[rest](repo, found[1], body) if rest in answers else self.say(404, {"error": "Not found"})

    def _paths(self, repo: Repo, names: list[str]) -> Reply:
        entries = []
        for name in names:
            if name in repo.files:
                data = repo.files[name]
                entry = {"type": "file", "path": name, "size": len(data), "oid": git_name(data)}
                if name in repo.large:
                    lfs = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
                    entry |= {"oid": git_name(b"pointer" + data), "lfs": lfs}
                entries.append(entry)
        return self.say(200, entries)

    def _preupload(self, repo: Repo, name: str, body: bytes) -> Reply:
        files = json.loads(body)["files"]
        if any(len(base64.b64decode(one["sample"])) > min(512, one["size"]) for one in files):
            self.broken.add("too long a sample")
        large = [one["size"] > 10_000_000 or one["path"].endswith(".parquet") for one in files]
        told = zip(files, large, strict=True)
        modes = [
            {"path": one["path"], "uploadMode": "lfs" if is_large else "regular", "shouldIgnore": False, "oid": None}
            for one, is_large in told
        ]
        return self.say(200, {"files": modes, "commitOid": repo.commits[-1]})

    def _batch(self, repo: Repo, name: str, body: bytes) -> Reply:
        facts = json.loads(body)
        assert facts["operation"] == "upload" and facts["hash_algo"] == "sha256"
        objects = []
        for one in facts["objects"]:
            oid, size = one["oid"], one["size"]
            objects.append({"oid": oid, "size": size})
            if oid in self.storage:
                continue
            verify = {"href": f"{self.url}/datasets/{name}.git/info/lfs/verify"}
            upload: dict[str, Any] = {"href": f"{self.storage_url}/storage/{oid}?X-Amz-Signature=s1gned"}
            if size > self.parts_of:
                n_parts = -(-size // self.parts_of)
                parts = {str(n): f"{self.storage_url}/storage/{oid}?part={n}" for n in range(1, n_parts + 1)}
                header = {"chunk_size": str(self.parts_of), **dict(reversed(parts.items()))}
                upload = {"href": f"{self.url}/datasets/{name}.git/info/lfs/complete", "header": header}
            objects[-1] |= {"authenticated": True, "actions": {"upload": upload, "verify": verify}}
        return self.say(200, {"transfer": "multipart" if self.parts_of < 1 << 40 else "basic", "objects": objects})

    def _store(self, path: str, query: dict[str, list[str]], headers: Any, body: bytes) -> Reply:
        if "Authorization" in headers:
            self.broken.add("sent a token to the storage")
        oid = path.removeprefix("/storage/")
        if "part" in query:
            self.parts[(oid, int(query["part"][0]))] = body
            return 200, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}, b""
        if hashlib.sha256(body).hexdigest() != oid:
            return 400, {}, b"<Error><Code>BadDigest</Code></Error>"
        self.storage[oid] = body
        return 200, {}, b""

    def _complete(self, repo: Repo, name: str, body: bytes) -> Reply:
        facts = json.loads(body)
        pieces = [self.parts[(facts["oid"], one["partNumber"])] for one in facts["parts"]]
        stated = [one["etag"].strip('"') for one in facts["parts"]]
        data = b"".join(pieces)
        if (
            stated != [hashlib.md5(one).hexdigest() for one in pieces]
            or hashlib.sha256(data).hexdigest() != facts["oid"]
        ):
            return self.say(400, {"error": "Bad parts"})
        self.storage[facts["oid"]] = data
        return self.say(200, {})

    def _verify(self, repo: Repo, name: str, body: bytes) -> Reply:
        facts = json.loads(body)
        known = len(self.storage.get(facts["oid"], b"")) == facts["size"]
        return self.say(200 if known else 404, {})

    def _commit(self, repo: Repo, name: str, body: bytes) -> Reply:
        """Commit all of it, or nothing."""
        lines = [json.loads(line) for line in body.splitlines()]
        assert lines[0]["key"] == "header"
        if lines[0]["value"].get("parentCommit", repo.commits[-1]) != repo.commits[-1]:
            return self.say(412, {"error": "A commit has happened since. Please refresh and try again."})
        files, large = dict(repo.files), set(repo.large)
        for line in lines[1:]:
            value, path = line["value"], line["value"]["path"]
            if line["key"] == "deletedFile":
                if files.pop(path, None) is None:
                    return self.say(400, {"error": f"{path} does not exist"})
                large.discard(path)
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.storage:
                    return self.say(400, {"error": f"Invalid lfs pointer {path}"})
                files[path] = self.storage[value["oid"]]
                large.add(path)
            else:
                files[path] = base64.b64decode(value["content"], validate=True)
                large.discard(path)
        repo.files, repo.large = files, large
        repo.commits.append(hashlib.sha1(body + repo.commits[-1].encode()).hexdigest())
        url = f"{self.url}/datasets/{name}/commit/{repo.commits[-1]}"
        return self.say(200, {"success": True, "commitOid": repo.commits[-1], "commitUrl": url, "hookOutput": ""})


def handler_of(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    """Return the handler that serves a hub."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def _reply(self) -> None:
            parts = urlsplit(self.path)
            path = unquote(parts.path)
            hub.asked.append((self.command, path, dict(self.headers)))
            fault = hub.fault_for(f"{self.command} {path}")
            if fault == CUT:
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            query = parse_qs(parts.query)
            is_reply = isinstance(fault, tuple)
            status, headers, answer = fault if is_reply else hub.answer(self.command, path, query, self.headers, body)
            if fault == DONE_AND_CUT:
                self.close_connection = True
                return
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(answer))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_HEAD = _reply  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing of a request."""

    return Handler


@contextmanager
def serving_hub() -> Iterator[FakeHub]:
    """Serve a hub; its storage has another name, and so another origin."""
    hub = FakeHub()
    with serving(handler_of(hub)) as port:
        hub.url, hub.storage_url = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
        yield hub
    assert not hub.broken, hub.broken
