"""The public fetch: what it asks for, what it leaves alone, and what the catalog says afterwards."""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pyarrow as pa
import pytest

from curator import catalog
from curator.errors import CuratorError, DiskError, StateError
from curator.events import FetchFailed, FetchFinished, FetchStarted, ImageFetched
from curator.fetch.ledger.diagnosis import host_report
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import VERSION, Attempt
from curator.fetch.outcomes import PICTURE_COLUMNS, read_outcomes, with_pictures
from curator.fetch.plan import FetchOptions, make_plan
from curator.fetch.row_addresses import parse_rows
from curator.manifests.settings import FetchSettings, QualitySettings
from curator.reasons import Drop
from tests.ledger_file import query


def asked(lab, *urls):
    """Count the requests that the lab got for these URLs."""
    counts = lab.counts()
    return [counts.get(url, 0) for url in urls]


def test_rows_keep_their_order_and_other_columns(lab, listed, shelf):
    """What was listed comes back as it was, with the fetched columns filled."""
    urls = [lab.url("fine", f"/order-{n}.jpg") for n in (3, 1, 2)]
    table = listed(urls, author=["c", "a", "b"])
    fetched = shelf.fetch(table)
    assert fetched["url"].tolist() == urls
    assert fetched["author"].tolist() == ["c", "a", "b"]
    assert (fetched["width"].tolist(), fetched["height"].tolist()) == ([120] * 3, [90] * 3)
    assert fetched.dtypes.equals(catalog.empty().dtypes)


def test_events_tell_of_each_image(lab, listed, shelf):
    """One event an image, between a start that says how many and an end."""
    urls = [lab.url("fine", "/event.jpg"), lab.url("status", "/404/event.jpg"), lab.url("html", "/event.jpg")]
    events = []
    shelf.fetch(listed(urls), emit=events.append)
    assert (events[0], events[-1]) == (FetchStarted(3, 0), FetchFinished())
    assert {event.url: event.reason for event in events if isinstance(event, FetchFailed)} == {
        urls[1]: "gone",
        urls[2]: "not-an-image",
    }
    assert [event.url for event in events if isinstance(event, ImageFetched)] == [urls[0]]
    shelf.fetch(listed(urls), emit=events.clear() or events.append)
    assert events == [FetchStarted(3, 3), FetchFinished()]


def test_the_fallback_is_asked_only_where_the_first_address_is_gone(lab, listed, shelf, reasons):
    """403, 404 and 410 lead to the second address; a 500 or a success does not."""
    firsts = [lab.url("status", f"/{status}/x.jpg") for status in (403, 404, 410, 500)] + [lab.url("fine", "/x.jpg")]
    seconds = [lab.url("fine", f"/second-{n}.jpg") for n in range(5)]
    table = shelf.fetch(listed(firsts, fallback_url=seconds))
    assert reasons(table) == [None, None, None, Drop.SERVER_ERROR, None]
    assert table["final_url"].tolist() == [*seconds[:3], firsts[3], firsts[4]]
    assert table["from_fallback"].tolist() == [True, True, True, False, False]
    assert asked(lab, *seconds) == [1, 1, 1, 0, 0]


def test_a_redirect_is_told_from_a_fallback(lab, listed, shelf):
    """Both end elsewhere; only one of them is where the second address was asked."""
    firsts = [lab.url("redirect", "/302/first.jpg"), lab.url("status", "/404/told.jpg")]
    seconds = [lab.url("fine", "/never.jpg"), lab.url("redirect", "/301/second.jpg")]
    table = shelf.fetch(listed(firsts, fallback_url=seconds))
    assert table["final_url"].tolist() == [lab.url("fine", f"/after-{status}.jpg") for status in (302, 301)]
    assert table["from_fallback"].tolist() == [False, True]


def test_a_fallback_that_fails_gives_the_reason(lab, listed, shelf, reasons):
    """Where both addresses fail the second's failure is the row's."""
    urls = [lab.url("status", "/404/both.jpg")] * 2
    seconds = [lab.url("html", "/second.jpg"), "ftp://h.example/second.jpg"]
    table = listed(urls, fallback_url=seconds)
    assert reasons(shelf.fetch(table.iloc[:1].reset_index(drop=True))) == [Drop.NOT_AN_IMAGE]
    assert reasons(shelf.fetch(table.iloc[1:].reset_index(drop=True))) == [Drop.GONE]


def test_one_url_under_two_labels_is_asked_once(lab, listed, shelf):
    """Two rows, one request, the same facts."""
    url = lab.url("fine", "/twice.jpg")
    table = shelf.fetch(listed([url, url], label=["rugby", "soccer"]))
    assert table["sha256"].nunique() == 1
    assert asked(lab, url) == [1]


def test_retry_failed_asks_again_for_what_may_have_passed(lab, listed, shelf, reasons):
    """A 500 that has passed is won; a 404 and a good picture are left alone."""
    settings = replace(shelf.settings, retries=0)
    urls = [
        lab.url("status-once", "/500/later.jpg"),
        lab.url("status", "/404/later.jpg"),
        lab.url("fine", "/later.jpg"),
    ]
    table = listed(urls)
    assert reasons(shelf.fetch(table, settings=settings)) == [Drop.SERVER_ERROR, Drop.GONE, None]
    assert reasons(shelf.fetch(table, settings=settings)) == [Drop.SERVER_ERROR, Drop.GONE, None]
    assert asked(lab, *urls) == [1, 1, 1]
    assert reasons(shelf.fetch(table, settings=settings, retry="failed")) == [None, Drop.GONE, None]
    assert asked(lab, *urls) == [2, 1, 1]


def test_retry_all_asks_again_for_every_failure(lab, listed, shelf, reasons):
    """A 404 and a page too, though never for what is kept; a row whose fallback came is kept."""
    urls = [lab.url("status", "/404/all.jpg"), lab.url("html", "/all.jpg"), lab.url("fine", "/all.jpg")]
    urls.append(lab.url("status", "/410/all.jpg"))
    table = listed(urls, fallback_url=[None, None, None, lab.url("fine", "/fallback-all.jpg")])
    first = shelf.fetch(table)
    again = shelf.fetch(table, retry="all")
    assert reasons(again) == [Drop.GONE, Drop.NOT_AN_IMAGE, None, None]
    assert again.equals(first)
    assert asked(lab, *urls) == [2, 2, 1, 1]


def test_tries_are_counted_over_runs(lab, listed, shelf, reasons):
    """A run that goes on after one recorded failure has one try left, not two."""
    url = lab.url("status", "/500/counted.jpg")
    with Ledger(shelf.paths.attempts) as ledger:
        ledger.record([Attempt(url, "h", 0.0, 0.1, Drop.SERVER_ERROR, 500)], [])
    table = listed([url])
    assert reasons(read_outcomes(table, shelf.project())) == [None]
    assert reasons(shelf.fetch(table)) == [Drop.SERVER_ERROR]
    assert asked(lab, url) == [1]


def test_read_outcomes_joins_without_a_request(lab, listed, shelf, reasons):
    """What was fetched is filled in; what was not has null columns and is not dropped."""
    urls = [lab.url("fine", "/joined.jpg"), lab.url("fine", "/never.jpg"), lab.url("status", "/404/joined.jpg")]
    shelf.fetch(listed([urls[0], urls[2]]))
    table = read_outcomes(listed(urls), shelf.project())
    assert reasons(table) == [None, None, Drop.GONE]
    assert table["sha256"].isna().tolist() == [False, True, True]
    assert table["http_status"].isna().tolist() == [False, True, False]
    assert asked(lab, urls[1]) == [0]


def test_a_stored_file_that_is_gone_is_fetched_again(lab, listed, shelf):
    """The store is looked at, not only the ledger."""
    urls = [lab.url("fine", "/lost.jpg"), lab.url("fine", "/there.jpg")]
    table = shelf.fetch(listed(urls))
    shelf.paths.image(table["sha256"][0], "jpeg").unlink()
    assert shelf.fetch(listed(urls)).equals(table)
    assert shelf.paths.image(table["sha256"][0], "jpeg").exists()
    assert asked(lab, *urls) == [2, 1]


def test_stored_files_are_known_whatever_their_hash(listed, shelf, lab_photo, tmp_path):
    """A hash that begins or ends in zero bytes is a hash like any other: one in 128 images has one."""
    variants = (lab_photo + str(n).encode() for n in itertools.count())
    for end in (slice(None, 2), slice(-2, None)):
        data = next(data for data in variants if hashlib.sha256(data).hexdigest()[end] == "00")
        path = tmp_path / f"{hashlib.sha256(data).hexdigest()}.jpg"
        path.write_bytes(data)
        table = listed([None], local_path=[str(path)])
        shelf.fetch(table)
        with Ledger(shelf.paths.attempts) as ledger:
            plan = make_plan(table, parse_rows(table), ledger, shelf.project(), FetchOptions())
        assert not plan.has_work()


def test_max_pixels_is_applied_to_what_is_stored_without_a_request(lab, listed, shelf, reasons):
    """Lowered or raised, the limit decides anew from the stored file."""
    url = lab.url("fine", "/pixels.jpg")
    first = shelf.fetch(listed([url]))
    small = shelf.fetch(listed([url]), quality=QualitySettings(max_pixels=100))
    assert reasons(small) == [Drop.TOO_MANY_PIXELS]
    assert shelf.fetch(listed([url])).equals(first)
    assert asked(lab, url) == [1]


def test_a_new_hash_version_observes_stored_files_again(lab, listed, shelf):
    """What an older version observed is observed again from the store."""
    url = lab.url("fine", "/version.jpg")
    first = shelf.fetch(listed([url]))
    query(shelf.paths.attempts, "UPDATE observations SET observer_version = 0, phash = 5, hash_version = 0")
    assert shelf.fetch(listed([url])).equals(first)
    assert asked(lab, url) == [1]


def test_a_ledger_without_thumbnails_is_brought_up_to_date_from_the_store(lab, listed, shelf):
    """Tables of the first version gain the column, and it is filled without a request."""
    url = lab.url("fine", "/thumbnail.jpg")
    first = shelf.fetch(listed([url]))
    with closing(sqlite3.connect(shelf.paths.attempts)) as old:
        for name in ("thumbnail", "well_formed", "taken", "camera", "sha1"):
            old.execute(f"ALTER TABLE observations DROP COLUMN {name}")
        old.execute("DROP TABLE robots")
        old.execute("DROP TABLE waits")
        old.execute("DROP TABLE runs")
        old.execute("DROP TABLE lookups")
        old.execute("DROP INDEX attempts_with_referer")
        for name in ("settings", "opt_out", "referer"):
            old.execute(f"ALTER TABLE attempts DROP COLUMN {name}")
        old.execute("UPDATE observations SET observer_version = 1, hash_version = 1")
        old.execute("PRAGMA user_version = 1")
        old.commit()
    assert shelf.fetch(listed([url])).equals(first)
    (pictures,) = with_pictures(first, shelf.paths)
    assert len(pictures["thumbnail"][0].as_py()) == 512
    assert asked(lab, url) == [1]


def test_hashes_and_thumbnails_come_row_group_by_row_group(lab, listed, shelf, monkeypatch):
    """They wait in the ledger until a catalog is written: the same rows, each with its own picture's, or with none."""
    monkeypatch.setattr("curator.store.catalog_files.GROUP_ROWS", 2)
    urls = [lab.url("fine", "/group-1.jpg"), lab.url("status", "/404/group.jpg"), lab.url("fine", "/group-2.jpg")]
    fetched = shelf.fetch(listed(urls))
    groups = list(with_pictures(fetched, shelf.paths))
    assert [len(group) for group in groups] == [2, 1]
    whole = catalog.from_arrow(pa.concat_tables(groups))
    assert whole.drop(columns=[*PICTURE_COLUMNS]).equals(fetched.drop(columns=[*PICTURE_COLUMNS]))
    assert whole["thumbnail"].isna().tolist() == [False, True, False]
    assert [int.from_bytes(turns[:8], "big") for turns in whole["phash_turns"].dropna()] == [*whole["phash"].dropna()]


def test_local_files_go_through_the_same_ledger(listed, shelf, reasons, tmp_path, lab):
    """They are observed and stored; unchanged ones are not read again, changed ones are."""
    from PIL import Image

    good, gone, page = (tmp_path / name for name in ("good.png", "gone.png", "page.png"))
    Image.effect_noise((80, 90), 50).save(good)
    page.write_text("<html>")
    columns = {"local_path": [str(good), str(gone), str(page)]}
    table = shelf.fetch(listed([None] * 3, **columns))
    assert reasons(table) == [None, Drop.FILE_MISSING, Drop.NOT_AN_IMAGE]
    assert (table["width"][0], table["format"][0]) == (80, "png")
    assert shelf.paths.image(table["sha256"][0], "png").read_bytes() == good.read_bytes()
    assert shelf.fetch(listed([None] * 3, **columns)).equals(table)
    assert query(shelf.paths.attempts, "SELECT count(*) FROM attempts") == [(3,)]
    Image.effect_noise((70, 60), 50).save(good)
    os.utime(good, ns=(1, 1))
    Image.effect_noise((50, 60), 50).save(gone)
    table = shelf.fetch(listed([None] * 3, **columns))
    assert reasons(table) == [None, None, Drop.NOT_AN_IMAGE]
    assert table["width"].tolist()[:2] == [70, 50]


def test_a_local_file_larger_than_max_bytes_is_not_read(listed, shelf, reasons, tmp_path):
    """Raising the limit is enough to have it."""
    from PIL import Image

    path = tmp_path / "large.png"
    Image.effect_noise((80, 90), 50).save(path)
    table = listed([None], local_path=[str(path)])
    assert reasons(shelf.fetch(table, settings=replace(shelf.settings, max_bytes=1000))) == [Drop.TOO_MANY_BYTES]
    assert reasons(shelf.fetch(table)) == [None]


def test_an_empty_catalog_is_settled(listed, shelf):
    """Nothing listed is nothing to do."""
    assert len(shelf.fetch(listed([]))) == 0


def test_a_ledger_of_a_newer_version_is_refused(listed, shelf):
    """It is left as it is, and the message says what to do."""
    with Ledger(shelf.paths.attempts):
        pass
    query(shelf.paths.attempts, "PRAGMA user_version = 99")
    with pytest.raises(StateError, match=rf"newer curator \(its version 99, ours {VERSION}\).*pip install -U"):
        shelf.fetch(listed(["http://h.example/a.jpg"]))


def test_a_damaged_ledger_is_a_clear_error(listed, shelf):
    """No traceback of SQLite reaches a user."""
    shelf.paths.attempts.parent.mkdir(parents=True)
    shelf.paths.attempts.write_bytes(b"this is no data base, though it is long enough to be one" * 50)
    with pytest.raises(StateError, match="is damaged"):
        shelf.fetch(listed(["http://h.example/a.jpg"]))


def test_a_full_disk_stops_cleanly_and_the_run_goes_on_later(lab, listed, shelf, monkeypatch):
    """What was recorded before stays, what was not leaves no file; with room again only the rest is asked for."""
    urls = [lab.url("fine", f"/disk-{n}.jpg") for n in range(40)]
    shelf.fetch(listed(urls[:10]))
    monkeypatch.setattr("curator.fetch.committer.sync_files", _no_space)
    with pytest.raises(DiskError, match="No space left"):
        shelf.fetch(listed(urls))
    assert len(shelf.stored()) == 10
    monkeypatch.undo()
    table = shelf.fetch(listed(urls))
    assert table["drop_reason"].isna().all()
    assert asked(lab, *urls[:10]) == [1] * 10
    assert not [path for path in shelf.stored() if path.name.startswith(".")]
    assert len(shelf.stored()) == 40


def test_a_disk_that_refuses_a_name_keeps_what_the_ledger_knows(lab, listed, shelf, monkeypatch):
    """What is recorded waits under its temporary name where the final one is refused, and gets it later."""
    urls = [lab.url("fine", f"/name-{n}.jpg") for n in range(3)]
    monkeypatch.setattr("curator.fetch.committer.name_files", _no_space)
    monkeypatch.setattr("curator.store.image_files.name_files", _no_space)
    with pytest.raises(DiskError, match="No space left"):
        shelf.fetch(listed(urls))
    [[n_recorded]] = query(shelf.paths.attempts, "SELECT count(*) FROM observations")
    assert len(shelf.stored()) >= n_recorded > 0
    monkeypatch.undo()
    assert shelf.fetch(listed(urls))["drop_reason"].isna().all()
    assert not [path for path in shelf.stored() if path.name.startswith(".")]
    assert asked(lab, *urls).count(1) >= n_recorded


def _no_space(*_):
    raise DiskError("Cannot write: No space left on device.")


PROGRAM = """
import sys
from pathlib import Path
import pandas as pd
from curator.fetch.fetch_images import fetch_images
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.manifests.settings import FetchSettings
from curator.store.paths import DataPaths
folder = Path(sys.argv[2])
try:
    recipe = Recipe("balls", ("ball",), (), FetchSettings(allow_private_hosts=True, per_host=2, retries=0))
    paths = DataPaths(folder, folder, "balls")
    project = Project(recipe, paths, lambda event: print(type(event).__name__, flush=True))
    fetch_images(pd.read_pickle(sys.argv[1]), project)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_records_what_is_finished_and_is_raised_again(lab, listed, shelf, tmp_path):
    """The program sees KeyboardInterrupt soon, and no image that it was told of is asked for again."""
    urls = [lab.url("slow", f"/interrupt-{n}.jpg") for n in range(200)]
    table_file = tmp_path / "table.pickle"
    listed(urls).to_pickle(table_file)
    command = [sys.executable, "-c", PROGRAM, str(table_file), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline().strip() for _ in range(6)]
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().split()
    assert process.returncode == 0
    assert rest[-1] == "interrupted"
    n_told = [*lines, *rest].count("ImageFetched")
    assert query(shelf.paths.attempts, "SELECT count(*) FROM attempts WHERE outcome = 'ok'") == [(n_told,)]
    assert 5 <= n_told < 200


def test_hosts_are_reported_with_advice(lab, listed, shelf):
    """Per host: tried, ok, each failure, requests, bytes, seconds, and what to do where most fail."""
    urls = [lab.url("fine", f"/report-{n}.jpg") for n in range(4)]
    urls += [lab.url("status", f"/404/report-{n}.jpg") for n in range(3)] + [lab.url("html", "/report.jpg")]
    shelf.fetch(listed(urls))
    report = host_report(shelf.paths).set_index("host")
    fine, status, html = (report.loc[lab.bases[name].removeprefix("http://")] for name in ("fine", "status", "html"))
    assert (fine["tried"], fine["ok"], fine["requests"], fine["advice"]) == (4, 4, 4, "")
    assert fine["n_bytes"] == sum(path.stat().st_size for path in shelf.stored())
    assert 0 < fine["median_seconds"] < 5
    assert (status["tried"], status["ok"], status["gone"]) == (3, 0, 3)
    assert status["advice"].startswith("link rot:")
    assert html["advice"].startswith("link rot in disguise")


def test_a_report_before_any_fetch_is_empty(shelf):
    """No ledger yet: no hosts."""
    assert len(host_report(shelf.paths)) == 0


def test_no_file_name_comes_from_a_url(lab, listed, shelf):
    """Names are hashes, so that no address can choose where it is written."""
    shelf.fetch(listed([lab.url("fine", "/..%2f..%2f..%2fetc%2fpasswd.jpg"), lab.url("fine", "/../../x.jpg")]))
    assert all(len(path.stem) == 64 and path.suffix == ".jpg" for path in shelf.stored())
    assert {path.parent.parent for path in shelf.stored()} == {shelf.paths.images}


def test_private_hosts_stay_refused_however_often_they_are_asked(lab, listed, shelf):
    """The refusal is settled, and `--retry failed` asks again only where the recipe now allows it."""
    table = listed([lab.url("fine", "/inside.jpg")])
    public = FetchSettings(timeout_s=2.0)
    assert shelf.fetch(table, settings=public)["drop_reason"][0] == Drop.PRIVATE_ADDRESS
    again = shelf.fetch(table, settings=public, retry="failed")
    assert again["drop_reason"][0] == Drop.PRIVATE_ADDRESS
    assert shelf.fetch(table, retry="failed")["drop_reason"].isna().all()


def test_a_proxy_of_the_recipe_is_asked_and_may_be_private(lab, listed, shelf):
    """The proxy resolves and connects for us; only its own address is exempt from the guard."""
    settings = FetchSettings(proxy=lab.bases["fine"], timeout_s=30.0)
    url = "http://pictures.invalid/by-proxy.jpg"
    table = shelf.fetch(listed([url]), settings=settings)
    assert table["drop_reason"].isna().all()
    assert asked(lab, lab.bases["fine"] + url) == [1]


def test_a_proxy_without_an_address_is_a_clear_error(listed, shelf):
    """It is not every image that fails, but the recipe."""
    settings = FetchSettings(proxy=f"http://{'a' * 64}.invalid:3128")
    with pytest.raises(CuratorError, match=r"has no address.*Correct proxy"):
        shelf.fetch(listed(["http://h.example/a.jpg"]), settings=settings)
