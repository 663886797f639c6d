"""Lists and tables are read whole and unchanged, from HTTP or the disk, whatever happens on the way."""

from __future__ import annotations

import base64
import gzip
import io
import os
import random
import signal
import socket
import tarfile
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import SourceError
from curator.events import MetadataFinished, MetadataRead, MetadataStarted
from curator.manifests.settings import FetchSettings
from curator.sources.reading.http import Version
from curator.sources.reading.read import probe_size, read_place, unpack
from tests.sources.conftest import Handler

BODY = random.Random(0).randbytes(300_000)


def only_home_is_public(monkeypatch):
    """Let this machine's first address pass for one of the public Internet."""
    monkeypatch.setattr("curator.fetch.network.transfer.is_public_address", lambda ip: ip == "127.0.0.1")
    monkeypatch.setattr("curator.fetch.network.guard.is_private_name", lambda host: False)


def read(place, context, **options):
    """Read a place's bytes."""
    return read_place(place, lambda stream: stream.read(), context, **options)


def test_a_whole_answer_is_read_and_told_in_transferred_bytes(server, context, events):
    """The events name the file, its size and every byte that came over the wire."""
    place = server.serve("/v7/labels.csv", gzip.compress(BODY))
    assert read(place, context) == BODY
    started, *reads, finished = events
    assert started == MetadataStarted("labels.csv", len(gzip.compress(BODY)))
    assert sum(event.n_bytes for event in reads if isinstance(event, MetadataRead)) == started.total_bytes
    assert finished == MetadataFinished("labels.csv")


def test_the_request_says_who_asks_and_wants_plain_bytes(server, context):
    """The User-Agent names the program and the contact of the recipe."""
    read(server.serve("/list", b"x"), context)
    headers = server.requests[0][2]
    assert headers["User-Agent"].startswith("imageset-curator/")
    assert headers["User-Agent"].endswith("(+test@example.org)")
    assert headers["Accept-Encoding"] == "identity"


def test_a_cut_connection_is_resumed_by_range(server, context):
    """Only the missing bytes are asked for again, and only of the same version."""
    place = server.serve("/list", BODY, cuts=[100_000])
    assert read(place, context) == BODY
    resumed = server.requests[1][2]
    assert (resumed["Range"], resumed["If-Range"]) == ("bytes=100000-", '"v1"')


def test_a_server_without_ranges_is_read_past_what_is_known(server, context):
    """The whole file comes again; the bytes are still those of one version."""
    place = server.serve("/list", BODY, cuts=[100_000], ranges=False)
    assert read(place, context) == BODY
    assert len(server.requests) == 2


def test_without_any_version_the_known_part_is_compared(server, context):
    """No ETag and no date: the part that is known must be the same, byte for byte, before reading on."""
    place = server.serve("/list", BODY, etag="", cuts=[100_000])
    assert read(place, context) == BODY
    assert "Range" not in server.requests[1][2]


@pytest.mark.parametrize("etag", ['"v2"', ""])
def test_two_versions_are_never_spliced(server, context, etag):
    """A file that changes while it is read is read again from its start, never joined with its old beginning."""
    new = BODY[::-1]
    place = server.serve("/list", BODY, etag='"v1"' if etag else "", cuts=[100_000], later=(new, etag))
    assert read(place, context) == new


def test_cuts_inside_the_first_bytes_do_not_hide_the_form(server, context):
    """A gzip file whose first byte arrives alone is still unpacked."""
    assert read(server.serve("/list", gzip.compress(BODY), cuts=[1, 1]), context) == BODY


def test_a_connection_that_never_gets_on_is_given_up(server, context):
    """The tries are counted and the error names the address."""
    place = server.serve("/list", BODY, cuts=[0] * 20)
    with pytest.raises(SourceError, match=r"/list broke off after 0 bytes .* 3 times in a row"):
        read(place, context)


def test_a_refusal_that_may_pass_is_retried_and_others_are_not(server, context):
    """503 and 429 are asked again, 404 and 403 at once given up."""
    assert read(server.serve("/busy", b"ok", statuses=[503, 429]), context) == b"ok"
    for status in (404, 403):
        place = server.serve(f"/{status}", statuses=[status] * 9)
        with pytest.raises(SourceError, match=f"/{status} answered {status}"):
            read(place, context)
        assert server.gets().count(f"/{status}") == 1


def test_redirects_are_followed_but_not_for_ever(server, context):
    """A list that moved is read; a loop is an error."""
    server.serve("/old", location=server.serve("/new", b"moved"))
    assert read(server.url + "/old", context) == b"moved"
    server.serve("/loop", location=server.url + "/loop")
    with pytest.raises(SourceError, match=r"/loop could not be read"):
        read(server.url + "/loop", context)


def test_private_hosts_are_refused_before_anything_is_sent(server, context):
    """Loopback by number and by name, in the clear or not: no request arrives."""
    strict = replace(context, fetch=FetchSettings(timeout_s=10))
    place = server.serve("/list", b"secret")
    names = (place.replace("127.0.0.1", name) for name in ("localhost", "127.1", "[::ffff:127.0.0.1]"))
    for address in (place, *names, place.replace("http:", "https:")):
        with pytest.raises(SourceError, match="not public"):
            read(address, strict)
    assert server.requests == []


def test_the_address_is_checked_after_the_name_is_resolved(server, context, resolve):
    """A public-looking name that leads to a loopback address is refused."""
    port = server.url.rsplit(":", 1)[1]
    resolve(f"lists.example:{port}:127.0.0.1")
    strict = replace(context, fetch=FetchSettings(timeout_s=10))
    with pytest.raises(SourceError, match=r"lists\.example leads to 127\.0\.0\.1"):
        read(f"http://lists.example:{port}/list", strict)
    assert server.requests == []


def test_nobody_inside_even_sees_a_connection(context):
    """A refused address is judged before a connection opens: no port is probed."""
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.setblocking(False)
        strict = replace(context, fetch=FetchSettings(timeout_s=10))
        for host in ("127.0.0.1", "localhost"):
            with pytest.raises(SourceError, match="not public"):
                read(f"http://{host}:{inside.getsockname()[1]}/list", strict)
        with pytest.raises(BlockingIOError):
            inside.accept()


def test_a_list_that_redirects_inside_is_refused(server, context, monkeypatch, resolve):
    """Each step is judged: by number and by name."""
    only_home_is_public(monkeypatch)
    strict = replace(context, fetch=FetchSettings(timeout_s=10))
    resolve("inner.example:80:127.0.0.2")
    for where in ("http://127.0.0.2/latest/meta-data", "http://inner.example/secret"):
        place = server.serve("/moved", location=where)
        with pytest.raises(SourceError, match=r"leads to 127\.0\.0\.2, an address that is not public"):
            read(place, strict)


def test_the_address_that_was_judged_is_the_one_that_is_connected_to(server, context, monkeypatch, resolve):
    """A name server that says something else each time (DNS rebinding) changes nothing: no other address is tried."""
    port = server.url.rsplit(":", 1)[1]
    only_home_is_public(monkeypatch)
    strict = replace(context, fetch=FetchSettings(timeout_s=10, retries=0))
    server.serve("/list", b"the list")
    resolve(f"lists.example:{port}:127.0.0.1")
    assert read(f"http://lists.example:{port}/list", strict) == b"the list"
    resolve(f"lists.example:{port}:127.0.0.2")
    with pytest.raises(SourceError, match=r"lists\.example leads to 127\.0\.0\.2"):
        read(f"http://lists.example:{port}/list", strict)


def test_who_signs_in_is_told_to_no_other_host(server, context):
    """The address's user and password are sent to its host, whatever signs they hold, and not where that redirects."""
    place = server.serve("/here", b"mine").replace("//", "//ann:s3cr@t%@")
    assert read(place, context) == b"mine"
    server.serve("/there", b"theirs")
    server.serve("/moved", location=server.url.replace("127.0.0.1", "localhost") + "/there")
    assert read(place.replace("/here", "/moved"), context) == b"theirs"
    signed = base64.b64encode(b"ann:s3cr@t%").decode()
    sent = [(path, headers.get("Authorization")) for _, path, headers in server.requests]
    assert sent == [("/here", f"Basic {signed}"), ("/moved", f"Basic {signed}"), ("/there", None)]


def test_what_is_no_tls_is_named(server, context):
    """A connection that cannot be trusted is not tried again."""
    server.serve("/list", b"in the clear")
    with pytest.raises(SourceError, match=r"/list could not be read \(no TLS connection could be made\)"):
        read(server.url.replace("http:", "https:") + "/list", context)


def test_ctrl_c_ends_the_wait_for_a_list(server, context, monkeypatch):
    """Pressed while a server keeps silent, it is neither swallowed by libcurl nor taken for a broken connection."""
    asked, may_answer = [], threading.Event()

    def press(self, *, with_body):
        asked.append(self.path)
        os.kill(os.getpid(), signal.SIGINT)
        may_answer.wait(10)

    monkeypatch.setattr(Handler, "_answer", press)
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(KeyboardInterrupt):
            read(server.url + "/list", context)
    finally:
        may_answer.set()
    assert (asked, signal.getsignal(signal.SIGINT)) == (["/list"], before)


def test_only_the_recipe_names_a_proxy(monkeypatch, server, context):
    """The environment's proxy is ignored; the recipe's is asked, and private hosts are refused there too."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert read(server.serve("/list", b"direct"), context) == b"direct"
    proxied = replace(context, fetch=FetchSettings(proxy=server.url))
    server.pages["http://lists.example/list"] = server.pages["/list"]
    assert read("http://lists.example/list", proxied) == b"direct"
    with pytest.raises(SourceError, match="not public"):
        read("http://10.0.0.1/list", proxied)


def tgz(name: str, body: bytes) -> bytes:
    """Pack one file, behind a folder, as .tgz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        folder = tarfile.TarInfo("lists")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        info = tarfile.TarInfo(name)
        info.size = len(body)
        archive.addfile(info, io.BytesIO(body))
    return out.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda body: tgz("lists/urls.txt", body)])
def test_packed_forms_are_known_by_their_bytes(tmp_path, context, pack):
    """Plain, .gz and .tgz give the same bytes, whatever the file is called."""
    (tmp_path / "list.bin").write_bytes(pack(BODY))
    assert read("list.bin", context) == BODY


@given(st.binary(max_size=5_000))
def test_unpacking_gives_what_was_packed(body):
    """Any bytes, even those that look like nothing else, survive gzip and tar.gz."""
    for packed in (gzip.compress(body), tgz("a", body)):
        assert unpack(io.BufferedReader(io.BytesIO(packed)), 1 << 20).read() == body


def test_damaged_and_oversized_data_is_an_error(tmp_path, context):
    """A cut gzip file and a bomb end in a sentence, not in a traceback or a full memory."""
    (tmp_path / "cut.gz").write_bytes(gzip.compress(BODY)[:-2000])
    with pytest.raises(SourceError, match="damaged or cut short"):
        read("cut.gz", context)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(10_000_000)))
    with pytest.raises(SourceError, match="more than such a list"):
        read("bomb.gz", context, max_bytes=1_000_000)


def test_what_is_no_place_is_named(tmp_path, context):
    """A missing file, a folder and another scheme are refused."""
    for place in ("missing.txt", "."):
        with pytest.raises(SourceError, match="not a file"):
            read(place, context)
    with pytest.raises(SourceError, match="http or https address"):
        read("file:///etc/hostname", context)


def test_the_size_is_asked_without_reading(server, tmp_path, context):
    """HEAD, or the file's status; None where nobody knows, and never an error."""
    place = server.serve("/big", BODY)
    assert probe_size(place, context) == len(BODY)
    assert server.gets() == []
    (tmp_path / "a.txt").write_bytes(b"12345")
    assert probe_size("a.txt", context) == 5
    assert probe_size(server.url + "/missing", context) is None
    assert probe_size("http://127.0.0.1:9/nobody", context) is None


def test_a_weak_tag_is_no_validator():
    """Only a strong entity tag may say that two parts belong together (RFC 9110, 13.1.5)."""
    assert Version('W/"1"', "Mon, 01 Jan 2024 00:00:00 GMT", 5).validator == "Mon, 01 Jan 2024 00:00:00 GMT"
    assert Version('W/"1"', "", 5).validator == ""


def test_an_unreachable_server_is_named(context, monkeypatch):
    """Nobody listens: the error names the address and the cause."""
    monkeypatch.setattr("curator.sources.reading.resume.BACKOFF_S", 0.0)
    with pytest.raises(SourceError, match=r"http://127\.0\.0\.1:9/list could not be reached \(no connection"):
        read("http://127.0.0.1:9/list", context)
