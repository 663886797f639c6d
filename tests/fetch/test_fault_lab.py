"""Every fault of the open web at once: each gets its exact reason, and none harms another."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from curator.manifests.settings import FetchSettings
from curator.reasons import Drop
from tests.ledger_file import query

AUTHORITY = Path(__file__).parents[1] / "fault_lab" / "tls" / "authority.pem"

FAULTS: dict[tuple[str, str], Drop | None] = {
    ("refused", "/a.jpg"): Drop.REFUSED,
    ("reset-before", "/a.jpg"): Drop.RESET,
    ("reset-amid", "/a.jpg"): Drop.RESET,
    ("hang-up", "/a.jpg"): Drop.RESET,
    ("silent", "/a.jpg"): Drop.TIMEOUT,
    ("drip", "/a.jpg"): Drop.TIMEOUT,
    ("endless", "/a.jpg"): Drop.TOO_MANY_BYTES,
    ("announced-too-large", "/a.jpg"): Drop.TOO_MANY_BYTES,
    ("length-too-large", "/a.jpg"): Drop.INCOMPLETE,
    ("length-too-small", "/a.jpg"): Drop.TRUNCATED,
    ("length-negative", "/a.jpg"): Drop.BAD_RESPONSE,
    ("chunked", "/a.jpg"): None,
    ("chunked-garbage", "/a.jpg"): Drop.BAD_RESPONSE,
    ("chunked-cut", "/a.jpg"): Drop.INCOMPLETE,
    ("gzip-bomb", "/a.png"): Drop.NOT_AN_IMAGE,
    ("not-http", "/a.jpg"): Drop.BAD_RESPONSE,
    ("status-line", "/?HTTP/1.1%20picture%20follows"): Drop.BAD_RESPONSE,
    ("status-line", "/?HTTP/7.3%20200%20OK"): Drop.BAD_RESPONSE,
    ("status-line", "/?HTTP/1.1%20099%20OK"): Drop.BAD_RESPONSE,
    ("large-headers", "/a.jpg"): Drop.BAD_RESPONSE,
    ("large-header", "/a.jpg"): Drop.BAD_RESPONSE,
    ("redirect-loop", "/a"): Drop.REDIRECT_LOOP,
    ("redirect", "/301/a.jpg"): None,
    ("redirect", "/302/a.jpg"): None,
    ("redirect", "/303/a.jpg"): None,
    ("redirect", "/307/a.jpg"): None,
    ("redirect", "/308/a.jpg"): None,
    ("redirect-elsewhere", "/?file:///etc/passwd"): Drop.UNSUPPORTED_SCHEME,
    ("redirect-elsewhere", "/?ftp://127.0.0.1/a.jpg"): Drop.UNSUPPORTED_SCHEME,
    ("redirect-elsewhere", "/?gopher://127.0.0.1:70/1"): Drop.UNSUPPORTED_SCHEME,
    ("html", "/a.jpg"): Drop.NOT_AN_IMAGE,
    ("html-as-jpeg", "/a.jpg"): Drop.NOT_AN_IMAGE,
    ("jpeg-as-html", "/a.jpg"): None,
    ("json", "/a.jpg"): Drop.NOT_AN_IMAGE,
    ("empty", "/a.jpg"): Drop.EMPTY,
    ("no-content", "/a.jpg"): Drop.EMPTY,
    ("status", "/401/a.jpg"): Drop.FORBIDDEN,
    ("status", "/403/a.jpg"): Drop.FORBIDDEN,
    ("status", "/404/a.jpg"): Drop.GONE,
    ("status", "/410/a.jpg"): Drop.GONE,
    ("status", "/418/a.jpg"): Drop.HTTP_ERROR,
    ("status", "/304/a.jpg"): Drop.HTTP_ERROR,
    ("status", "/451/a.jpg"): Drop.FORBIDDEN,
    ("status", "/500/a.jpg"): Drop.SERVER_ERROR,
    ("throttled", "/429/a.jpg"): Drop.RATE_LIMITED,
    ("status-once", "/429/a.jpg"): None,
    ("status-once", "/500/a.jpg"): None,
    ("status-once", "/502/a.jpg"): None,
    ("status-once", "/503/a.jpg"): None,
    ("retry-after-seconds", "/a.jpg"): None,
    ("retry-after-date", "/a.jpg"): None,
    ("retry-after-hours", "/a.jpg"): Drop.RATE_LIMITED,
    ("opted-out", "/a.jpg"): Drop.OPTED_OUT,
    ("opted-out-for-another", "/a.jpg"): None,
    ("noise", "/a.jpg"): None,
    ("stamped", "/1.jpg"): None,
    ("echo-path", "/a b.jpg"): None,
    ("echo-path", "/a%20c.jpg"): None,
    ("echo-path", "/100%.jpg"): None,
    ("echo-path", "/fünf.jpg"): None,
    ("echo-path", "/⚽.jpg?q=ü"): None,
    ("echo-path", "/[x].jpg"): None,
    ("ipv6", "/a.jpg"): None,
    ("tls-fine", "/a.jpg"): None,
    ("tls-wrong-name", "/a.jpg"): Drop.TLS,
    ("tls-expired", "/a.jpg"): Drop.TLS,
    ("tls-stranger", "/a.jpg"): Drop.TLS,
    ("picture", "/bomb.png"): Drop.TOO_MANY_PIXELS,
    ("picture", "/truncated.jpg"): Drop.TRUNCATED,
    ("picture", "/trailing.png"): None,
    ("picture", "/animated.gif"): None,
    ("picture", "/cmyk.jpg"): None,
    ("picture", "/sixteen-bit.png"): None,
    ("picture", "/palette.png"): None,
    ("picture", "/mpo.jpg"): None,
    ("picture", "/vector.svg"): Drop.NOT_AN_IMAGE,
    ("picture", "/paper.jpg"): Drop.NOT_AN_IMAGE,
    ("picture", "/zero.jpg"): Drop.EMPTY,
    ("picture", "/garbage.jpg"): Drop.CORRUPT,
}
ADDRESSES: dict[str | None, Drop] = {
    f"http://{'a' * 64}.invalid/a.jpg": Drop.DNS,
    "ftp://127.0.0.1/a.jpg": Drop.UNSUPPORTED_SCHEME,
    "file:///etc/passwd": Drop.UNSUPPORTED_SCHEME,
    "no address at all": Drop.UNSUPPORTED_SCHEME,
    "http://a b.example/a.jpg": Drop.MALFORMED_URL,
    "http://127.0.0.1:99999/a.jpg": Drop.MALFORMED_URL,
    "http://[::1": Drop.MALFORMED_URL,
    "HTTPS:///a.jpg": Drop.MALFORMED_URL,
    None: Drop.MALFORMED_URL,
}
N_FINE = 40


@pytest.fixture(scope="module")
def everything(lab, listed, make_shelf, tmp_path_factory):
    """One fetch of all faults among fine pictures, slow ones, and one picture under many URLs."""
    shelf = make_shelf(tmp_path_factory.mktemp("everything"))
    urls = [lab.url(*fault) for fault in FAULTS]
    urls += [*ADDRESSES, *(lab.url("fine", f"/fine-{n}.jpg") for n in range(N_FINE))]
    urls += [lab.url("same", f"/gone-{n}.jpg") for n in range(5)]
    started = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(AUTHORITY))
        patch.setenv("http_proxy", lab.bases["refused"])  # a proxy of the environment must not be asked
        patch.setenv("all_proxy", lab.bases["refused"])
        table = shelf.fetch(listed(urls))
    return shelf, table.set_index("url", drop=False), time.monotonic() - started


def reason_of(everything, url):
    """Give the drop reason of one row, None where it is kept."""
    _, table, _ = everything
    row = table.loc[url] if url is not None else table[table["url"].isna()].iloc[0]
    return Drop(row["drop_reason"]) if isinstance(row["drop_reason"], str) else None


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "".join(fault))
def test_each_fault_has_its_exact_reason(everything, lab, fault):
    """What the server did is what the catalog says; what can be used in spite of it is kept."""
    assert reason_of(everything, lab.url(*fault)) == FAULTS[fault]


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_addresses_that_cannot_be_asked_have_their_reason(everything, address):
    """No name, no http, no address: each is told apart."""
    assert reason_of(everything, address) == ADDRESSES[address]


def test_nothing_else_suffers(everything, lab):
    """Among all those faults every fine picture is fetched, and the run ends when the work does."""
    _, table, seconds = everything
    fine = table[table["url"].str.startswith(lab.bases["fine"]).fillna(False).to_numpy(dtype=bool)]
    assert len(fine) == N_FINE
    assert fine["drop_reason"].isna().all()
    assert fine["sha256"].nunique() == N_FINE
    assert seconds < 300


def test_what_is_stored_is_whole_and_read_only(everything):
    """Each image that came stands once under its hash, read-only; pages and empty answers are not stored."""
    import hashlib

    shelf, table, _ = everything
    stored = shelf.stored()
    for path in stored:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
        assert path.stat().st_mode & 0o777 == 0o444
    images = table[table["format"].notna() & ~table["drop_reason"].isin(["not-an-image", "empty"]).to_numpy(dtype=bool)]
    assert {path.stem for path in stored} == set(images["sha256"])


def test_the_same_bytes_from_many_urls_are_stored_once(everything, lab):
    """One picture served under five URLs is five rows of one file."""
    shelf, table, _ = everything
    rows = table[table["url"].str.startswith(lab.bases["same"]).fillna(False).to_numpy(dtype=bool)]
    assert len(rows) == 5
    assert rows["sha256"].nunique() == 1
    assert len([path for path in shelf.stored() if path.stem == rows["sha256"].iloc[0]]) == 1


def test_a_redirect_is_followed_to_its_end(everything, lab):
    """The catalog says where the picture really was."""
    _, table, _ = everything
    assert table.loc[lab.url("redirect", "/308/a.jpg"), "final_url"] == lab.url("fine", "/after-308.jpg")
    assert table.loc[lab.url("redirect", "/308/a.jpg"), "http_status"] == 200


def test_facts_of_odd_pictures_are_recorded(everything, lab):
    """Frames, modes and formats come from the bytes, whatever the server said."""
    _, table, _ = everything
    gif = table.loc[lab.url("picture", "/animated.gif")]
    assert (gif["format"], gif["n_frames"]) == ("gif", 3)
    assert table.loc[lab.url("picture", "/cmyk.jpg"), "mode"] == "CMYK"
    assert table.loc[lab.url("picture", "/mpo.jpg"), "format"] == "mpo"


def test_faults_that_may_pass_are_tried_again_and_others_are_not(everything, lab):
    """With one retry: two requests for a reset, a timeout or a 500; one for a 404 or a page."""
    shelf, _, _ = everything
    tries = dict(query(shelf.paths.attempts, "SELECT address, sum(asked) FROM attempts GROUP BY address"))
    twice = ["reset-before", "silent", "length-too-large", "retry-after-seconds"]
    assert [tries[lab.url(fault)] for fault in twice] == [2] * len(twice)
    once = ["html", "endless", "not-http", "opted-out", "retry-after-hours", "chunked-garbage"]
    assert [tries[lab.url(fault)] for fault in once] == [1] * len(once)
    assert tries[lab.url("status", "/404/a.jpg")] == 1


def test_a_second_fetch_asks_nothing_and_says_the_same(everything, lab):
    """What is settled stays settled: no request, and an identical table."""
    shelf, table, _ = everything
    listed_again = table.reset_index(drop=True)
    before = lab.counts()
    again = shelf.fetch(listed_again)
    after = lab.counts()
    control = lab.url("control", "/counts")
    assert {url: n for url, n in after.items() if url != control} == {
        url: n for url, n in before.items() if url != control
    }
    assert again.equals(listed_again)


PRIVATE = ["http://localhost:{port}/", "http://127.0.0.1:{port}/", "http://2130706433:{port}/", "http://0x7f.1:{port}/"]


@pytest.mark.parametrize("address", [*PRIVATE, "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/"])
def test_private_addresses_are_refused_by_default(lab, listed, shelf, address):
    """However loopback is spelt, and for a name that resolves to it (DNS rebinding), no connection is made."""
    port = lab.bases["fine"].rsplit(":", 1)[1]
    table = shelf.fetch(listed([address.format(port=port) + "private.jpg"]), settings=FetchSettings())
    assert table["drop_reason"].tolist() == [Drop.PRIVATE_ADDRESS]
    assert not [url for url in lab.counts() if url.endswith("/private.jpg")]


def test_a_redirect_to_a_private_address_is_refused(lab, listed, shelf, monkeypatch):
    """The guard judges every connection, so a public host cannot send us inside."""
    monkeypatch.setattr("curator.fetch.network.transfer.is_public_address", lambda ip: ip == "127.0.0.1")
    inside = "http://127.0.0.2:80/latest/meta-data"
    urls = [lab.url("redirect-elsewhere", f"/?{inside}"), lab.url("fine", "/public.jpg")]
    table = shelf.fetch(listed(urls), settings=FetchSettings())
    assert table["drop_reason"].tolist()[0] == Drop.PRIVATE_ADDRESS
    assert table["drop_detail"].tolist()[0] == "127.0.0.2"
    assert table["drop_reason"].isna().tolist() == [False, True]
