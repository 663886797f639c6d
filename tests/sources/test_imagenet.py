"""ImageNet lists: three forms, many places, and never an empty success."""

from __future__ import annotations

import gzip
import io
import re
import string
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import SourceError
from curator.manifests.toml_settings import read_settings
from curator.sources.imagenet.imagenet_source import Imagenet
from curator.sources.imagenet.lists import parse_line, read_whole_list

RUGBY, SOCCER, BALL = "n00470966", "n00478262", "n04118538"
WHOLE = (
    f"{BALL}_7\thttp://e.org/ball.jpg\r\n"
    f"{RUGBY}_1\thttp://e.org/r 1\tx.jpg\n"
    f"{RUGBY}_2\tnonsense\n"
    "\n"
    f"{SOCCER}_3\thttp://e.org/s.jpg\n"
).encode() + f"{SOCCER}_4\thttp://e.org/caf\xe9.jpg\n".encode("latin-1")
SHARED = Path(__file__).parents[2] / "../shared/imagenet/classes_in_imagenet.csv"
HTML = "<!DOCTYPE html><html><body>Sorry</body></html>"


def settings(*urls: str, **synsets: tuple[str, ...]) -> Imagenet:
    """Settings for one synset a label, or for those given."""
    return Imagenet(synsets=synsets or {"rugby": (RUGBY,), "soccer": (SOCCER,)}, urls=urls)


def list_all(chosen, context):
    """List all labels."""
    return chosen.list_images(0, context.labels, context)


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        (b"http://e.org/a.jpg\r\n", (None, "http://e.org/a.jpg")),
        (b"n00470966_5 http://e.org/a.jpg\n", ("n00470966_5", "http://e.org/a.jpg")),
        (b"n00470966_5\thttp://e.org/a\tb c.jpg\n", ("n00470966_5", "http://e.org/a%09b%20c.jpg")),
        (b"n00470966_5\thttp://e.org/%20\xe9.jpg", ("n00470966_5", "http://e.org/%20%E9.jpg")),
        (b"\xef\xbb\xbfhttp://e.org/a.jpg\n", (None, "http://e.org/a.jpg")),
        (b"ftp://e.org/a.jpg", (None, "ftp://e.org/a.jpg")),
        (b"Invalid url!\n", None),
        (b"n00470966_5\t\n", None),
        (b"\x00\xff\n", None),
        (b"", None),
    ],
)
def test_one_line_of_each_form(line, parsed):
    """Ids are split off once, white space and odd bytes are encoded, what is encoded stays, garbage is None."""
    assert parse_line(line) == parsed


@given(st.integers(0, 10**6), st.text(string.ascii_letters + string.digits + "/%?&=-._~", max_size=60))
def test_a_plain_url_survives_every_form(number, path):
    """A URL that can be sent as it stands is read back unchanged from all three forms."""
    url = f"http://example.org/{path}"
    assert parse_line(f"{url}\r\n".encode()) == (None, url)
    for separator in ("\t", " "):
        assert parse_line(f"{RUGBY}_{number}{separator}{url}\n".encode()) == (f"{RUGBY}_{number}", url)


@given(st.binary(max_size=200))
def test_no_bytes_break_a_line(line):
    """Whatever stands in a list, a line is a sendable URL or nothing."""
    parsed = parse_line(line)
    assert parsed is None or (parsed[1].isascii() and parsed[1].isprintable() and " " not in parsed[1])


def test_the_endpoint_lists_each_synset_once(server, context):
    """Rows hold the synset as class, the URL as key, the id where one was given; repeated URLs are one row."""
    server.serve(f"/urls?wnid={RUGBY}", "http://e.org/1.jpg\r\n\r\nhttp://e.org/2.jpg\nhttp://e.org/1.jpg\n")
    server.serve(f"/urls?wnid={SOCCER}", f"{SOCCER}_9 http://e.org/9.jpg\n")
    rows = list_all(settings(server.url + "/urls?wnid={wnid}"), context)
    assert rows["url"].tolist() == ["http://e.org/1.jpg", "http://e.org/2.jpg", "http://e.org/9.jpg"]
    assert rows["source_class"].tolist() == [RUGBY, RUGBY, SOCCER]
    assert rows["source_id"].tolist() == [pd.NA, pd.NA, f"{SOCCER}_9"]
    assert set(rows["record_id"].str.match(r"imagenet-[0-9a-f]{16}$")) == {True}


def test_several_synsets_make_one_label(server, context):
    """All synsets of a label are listed under it."""
    for wnid in (RUGBY, BALL, SOCCER):
        server.serve(f"/{wnid}", f"http://e.org/{wnid}.jpg")
    rows = list_all(settings(server.url + "/{wnid}", rugby=(RUGBY, BALL), soccer=(SOCCER,)), context)
    assert rows.groupby("label")["source_class"].agg(list).to_dict() == {"rugby": [RUGBY, BALL], "soccer": [SOCCER]}


def test_places_are_tried_in_order_synset_by_synset(server, context):
    """HTML with status 200, an empty list and a 404 are failures: the next place is asked for what is missing."""
    server.serve(f"/api/{RUGBY}", HTML)
    server.serve(f"/api/{SOCCER}", "http://e.org/api.jpg")
    server.serve(f"/old/{RUGBY}", "\n")
    server.serve("/fall11.txt.gz", gzip.compress(WHOLE))
    places = [server.url + place for place in ("/api/{wnid}", "/old/{wnid}", "/gone/{wnid}", "/fall11.txt.gz")]
    rows = list_all(settings(*places), context)
    assert rows["url"].tolist() == ["http://e.org/r%201%09x.jpg", "http://e.org/api.jpg"]
    assert server.gets() == [f"/api/{RUGBY}", f"/api/{SOCCER}", f"/old/{RUGBY}", f"/gone/{RUGBY}", "/fall11.txt.gz"]


def test_a_whole_local_list_gives_all_synsets_in_one_pass(tmp_path, context, told):
    """The list is Latin-1 safe, splits on the first tab only, and its garbage is counted aloud."""
    (tmp_path / "fall11_urls.txt").write_bytes(WHOLE)
    rows = list_all(settings("fall11_urls.txt"), context)
    assert rows["source_id"].tolist() == [f"{RUGBY}_1", f"{SOCCER}_3", f"{SOCCER}_4"]
    assert rows["url"].iloc[2] == "http://e.org/caf%E9.jpg"
    assert f"{RUGBY}: 1 of 2 rows were refused: 1 with no URL (line 3)" in told()


def test_no_line_of_a_whole_list_is_lost_silently(tmp_path, context, told):
    """Lines that name no synset, of another one in a list of one, or ended by CR only: each is read or counted."""
    (tmp_path / "all.txt").write_bytes(WHOLE.replace(b"\r\n", b"\n").replace(b"\n", b"\r") + b"# note\rn0047\t\r")
    assert len(list_all(settings("all.txt"), context)) == 3
    assert "all.txt: 2 of 7 rows were refused: 2 that name no synset (lines 7, 8)" in told()
    (tmp_path / f"{RUGBY}.txt").write_text(f"http://e.org/1.jpg\n{SOCCER}_1 http://e.org/2.jpg\nnone\n")
    list_all(settings("{wnid}.txt", rugby=(RUGBY,)), context)
    assert f"{RUGBY}: 2 of 3 rows were refused: 1 of another synset (line 2), 1 with no URL (line 3)" in told()


def test_what_was_obtained_is_not_asked_for_again(server, context):
    """The second run reads nothing; a refresh reads each list once more; a place taken out of urls counts no longer."""
    server.serve("/fall11", WHOLE)
    first = list_all(settings(server.url + "/fall11"), context)
    again = replace(context, fresh=set())
    pd.testing.assert_frame_equal(list_all(settings(server.url + "/fall11"), again), first)
    assert server.gets() == ["/fall11"]
    refreshing = replace(context, refresh=True, fresh=set())
    list_all(settings(server.url + "/fall11"), refreshing)
    list_all(settings(server.url + "/fall11"), refreshing)
    assert server.gets() == ["/fall11", "/fall11"]
    with pytest.raises(SourceError):
        list_all(settings(server.url + "/other"), context)


def test_a_changed_local_list_is_read_again(tmp_path, context):
    """A local list counts as the same only while its size and time are."""
    (tmp_path / "urls.txt").write_bytes(WHOLE)
    assert len(list_all(settings("urls.txt"), context)) == 3
    (tmp_path / "urls.txt").write_bytes(WHOLE + f"{SOCCER}_8\thttp://e.org/new.jpg".encode())
    assert len(list_all(settings("urls.txt"), context)) == 4


def test_when_all_places_fail_the_ways_out_are_named(server, context):
    """The error names each place, what it answered, and what a person can do."""
    for wnid in (RUGBY, SOCCER):
        server.serve(f"/api/{wnid}", HTML)
    with pytest.raises(SourceError) as caught:
        list_all(settings(server.url + "/api/{wnid}", server.url + "/gone/{wnid}"), context)
    message = str(caught.value)
    assert f"ImageNet returned no list of {RUGBY}, {SOCCER}: " in message
    assert message.count(f"{server.url}/api/{RUGBY} answered with a web page (HTML) and not a list, and so on") == 1
    assert message.count(f"{server.url}/gone/{RUGBY} answered 404") == 1
    assert "fall11_urls.txt" in message
    assert "Open Images only" in message


def test_a_synset_that_does_not_exist_is_told_with_near_ones(tmp_path, context, told):
    """One wrong synset does not lose the others; alone it is an error."""
    (tmp_path / "urls.txt").write_bytes(WHOLE)
    wrong = settings("urls.txt", rugby=("n00470967",), soccer=(SOCCER,))
    assert set(list_all(wrong, context)["label"]) == {"soccer"}
    assert "urls.txt does not hold n00470967, did you mean n00470966. Give a list" in told()
    with pytest.raises(SourceError, match="does not hold n00470967"):
        wrong.list_images(0, ["rugby"], context)


def test_the_plan_names_sizes_and_then_nothing_to_read(server, context):
    """Before: the whole list's size, by HEAD; after: all cached, no bytes."""
    place = server.serve("/fall11", WHOLE)
    planned = settings(place).plan(0, context)
    assert [(read.name, read.n_bytes, read.cached) for read in planned] == [("fall11", len(WHOLE), False)]
    assert server.gets() == []
    list_all(settings(place), context)
    assert [(read.n_bytes, read.cached) for read in settings(place).plan(0, context)] == [(0, True)] * 2


def test_the_recipe_is_checked():
    """Synsets, labels and places are checked before anything runs; one synset may stand without a list."""
    problems: list[object] = []
    table = {
        "synsets": {"rugbi": RUGBY, "soccer": [SOCCER, "soccer"]},
        "urls": ["gopher://x", "{synset}.txt", "ftp://no.txt"],
    }
    read = read_settings(Imagenet, table, "x", problems.append)
    found = read.problems(("rugby", "soccer"))
    assert [key for key, _ in found] == ["synsets", "synsets", "urls", "urls", "urls"]
    assert found[0][1] == "names 'rugbi', which is not in labels, did you mean rugby?"
    assert read.synsets["rugbi"] == (RUGBY,)
    assert read.covers(("rugby", "soccer")) == ("soccer",)


def test_a_list_of_other_lines_is_no_list():
    """A whole list without a single synset is refused."""
    with pytest.raises(SourceError, match="no line that names a synset"):
        read_whole_list(io.BufferedReader(io.BytesIO(b"http://e.org/a.jpg\n")), [RUGBY])


@pytest.mark.real
@pytest.mark.skipif(not SHARED.is_file(), reason="needs ../shared")
def test_the_real_synsets_are_found_in_a_list_of_all(tmp_path, context, told):
    """A whole list over every real synset gives exactly the wanted ones, and near ones for a misspelt one."""
    wnids = pd.read_csv(SHARED)["synid"]
    assert {RUGBY, SOCCER, BALL} <= set(wnids)
    lines = "".join(f"{wnid}_{i}\thttp://e.org/{wnid}/{i}.jpg\n" for wnid in wnids for i in range(3))
    (tmp_path / "fall11_urls.txt").write_text(lines)
    rows = list_all(settings("fall11_urls.txt", rugby=(RUGBY, "n00470999"), soccer=(SOCCER,)), context)
    assert rows["source_class"].value_counts().to_dict() == {RUGBY: 3, SOCCER: 3}
    assert re.search(r"does not hold n00470999, did you mean n\d{8}", told())
