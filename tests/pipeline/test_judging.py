"""Pictures are compared by their pixels before dedupe: once, from stored files, whatever was seen before."""

import hashlib
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import ImageOps

from curator.catalog import Stage, is_kept
from curator.decide.judged import DOUBTFUL, ONE, TWO
from curator.embed.row_file import RowFile
from curator.errors import StateError
from curator.events import Warned, ignore
from curator.inspect.status import read_status
from curator.manifests.settings import DedupeSettings
from curator.matching.neighbours import Neighbours
from curator.matching.pictures import Pictures
from curator.observe.pixels import MAX_PIXELS
from curator.observe.workers.render import UnreadableError
from curator.pipeline import run_stages as pipeline
from curator.pipeline.forget import forget
from curator.pipeline.judging import compare_pictures, seen, sharing, summaries
from curator.pipeline.judging.contents import Contents, number_equal
from curator.pipeline.judging.last_evidence import read_evidence
from curator.pipeline.judging.means import Means
from curator.pipeline.judging.sharing import BY_HASH_ONLY
from curator.pipeline.judging.summaries import GLIMPSES, SKETCHES
from curator.store.judged_file import SCHEMA, read_judged, write_judged
from curator.text import spell
from tests.small_worlds import picture, recipe_text, small_project, write_folder


def detailed(seed):
    """A picture with corners to hold on to."""
    from PIL import Image

    small = picture(seed, (40, 30)).resize((40, 30))
    return Image.blend(picture(seed, (320, 240)), small.resize((320, 240), Image.Resampling.NEAREST), 0.5)


@pytest.fixture
def project(tmp_path):
    """Two labels of pictures, one of them with half of another one, fetched."""
    folder = write_folder(tmp_path / "photos", 4)
    whole = detailed(77)
    whole.save(folder / "rugby" / "whole.jpg", quality=92)
    whole.crop((60, 40, 290, 220)).save(folder / "rugby" / "cropped.jpg", quality=92)
    ImageOps.mirror(whole).save(folder / "rugby" / "mirrored.jpg", quality=92)
    project = small_project(tmp_path, recipe_text(folder, per_class="max"))
    pipeline.fetch(project)
    return project


def dedupe(project, **settings):
    """Dedupe, and name what was dropped by its file."""
    outcome = pipeline.decide(project, Stage.DEDUPED, {"dedupe": settings} if settings else {})
    dropped = outcome.table[~is_kept(outcome.table)]
    return sorted(name.rpartition("/")[2] for name in dropped["source_id"]), outcome


def test_a_strong_crop_is_found_by_the_points_that_it_shares(project):
    """It is far by hash; no network is needed, and no pair is there twice."""
    events = []
    assert dedupe(replace(project, emit=events.append))[0] == ["cropped.jpg", "mirrored.jpg"]
    assert not [event for event in events if isinstance(event, Warned)]
    pairs = pq.read_table(project.paths.judged).to_pandas()[["sha256", "other_sha256"]]
    assert not pairs.duplicated().any()


def test_of_very_many_it_is_said_what_is_not_looked_for(project, monkeypatch):
    """The hash still names the mirrored one, and the pixels confirm it."""
    monkeypatch.setattr(sharing, "MOST", 9)
    events = []
    names, _ = dedupe(replace(project, emit=events.append))
    assert names == ["mirrored.jpg"]
    assert [event.message for event in events if isinstance(event, Warned)] == [BY_HASH_ONLY]
    assert not list(project.paths.cache.glob("glimpses-*"))


def test_a_second_run_decodes_and_judges_nothing(project, monkeypatch):
    """Also if it is forced, and if only the catalog is gone."""
    before = dedupe(project)[0]
    monkeypatch.setattr(summaries, "render_to", None)
    monkeypatch.setattr(compare_pictures, "judge_pairs", None)
    judged = project.paths.judged.read_bytes()
    project.paths.catalog(Stage.DEDUPED).unlink()
    assert dedupe(project)[0] == before
    assert project.paths.judged.read_bytes() == judged


@pytest.mark.parametrize("spoilt", ["judged", "sketches", "glimpses", "both"])
def test_what_was_kept_and_is_damaged_is_made_anew(project, spoilt):
    """A torn file is no error, and decides nothing."""
    before = dedupe(project)[0]
    judged = read_judged(project.paths.judged)
    if spoilt in ("judged", "both"):
        project.paths.judged.write_bytes(project.paths.judged.read_bytes()[:100])
    if spoilt != "judged":
        file = project.paths.cache / (GLIMPSES if spoilt == "glimpses" else SKETCHES).file_name()
        file.write_bytes(file.read_bytes()[:3000])
        project.paths.judged.unlink(missing_ok=True)
    project.paths.catalog(Stage.DEDUPED).unlink()
    assert dedupe(project)[0] == before
    assert read_judged(project.paths.judged).equals(judged)


def test_summaries_of_other_versions_are_removed(project):
    """They would be kept for nobody."""
    for name in ("glimpses", "sketches"):
        RowFile(project.paths.cache / f"{name}-version0-decoder1.npy", [("a", "<u1")]).add(["ab" * 32], a=[1])
    dedupe(project)
    names = sorted(path.name for path in project.paths.cache.glob("*-version*"))
    assert names == [GLIMPSES.file_name(), SKETCHES.file_name()]


def test_a_strong_crop_of_another_folder_is_found(project, tmp_path):
    """Only pairs of ours and theirs are looked at."""
    exam = tmp_path / "exam"
    exam.mkdir()
    detailed(78).save(tmp_path / "photos" / "rugby" / "also.jpg", quality=92)
    detailed(78).crop((60, 40, 290, 220)).save(exam / "theirs.jpg", quality=92)
    again = small_project(tmp_path, (project.paths.recipe).read_text("utf-8"))
    pipeline.fetch(again)
    names, _ = dedupe(again, against=(str(exam),))
    assert "also.jpg" in names
    pairs = read_judged(project.paths.judged_elsewhere)
    theirs = hashlib.sha256((exam / "theirs.jpg").read_bytes()).hexdigest()
    assert {theirs in pair.values() for pair in pairs.select(["sha256", "other_sha256"]).to_pylist()} == {True}


def test_a_picture_whose_file_is_gone_is_left_to_its_hashes(project):
    """It still matches by hash, and is in no pair that was judged."""
    catalog = pq.read_table(project.paths.catalog(Stage.FETCHED))
    rows = catalog.to_pylist()
    (gone,) = (row for row in rows if row["source_id"].endswith("mirrored.jpg"))
    project.paths.image(gone["sha256"], gone["format"]).unlink()
    names, _ = dedupe(project)
    assert names == ["cropped.jpg", "mirrored.jpg"]
    judged = read_evidence(project.paths)
    assert gone["sha256"] not in judged.names.to_pylist()


def test_a_picture_that_cannot_be_read_for_a_moment_is_named(project, monkeypatch):
    """So is what compares it again, and then it is as if it had always been there."""
    events = []
    told = replace(project, emit=events.append)
    read, lost = summaries.render_to, project.paths.image(sha256_of(project, "mirrored.jpg"), "jpeg")

    def fail(out, path, *rest):
        if path == lost:
            raise UnreadableError("Input/output error")
        return read(out, path, *rest)

    with monkeypatch.context() as failing:
        failing.setattr(summaries, "render_to", fail)
        dedupe(told)
    (said,) = [str(event.message) for event in events if isinstance(event, Warned)]
    assert f"{lost} cannot be compared (Input/output error)" in said and "dedupe --force" in said
    pipeline.decide(told, Stage.DEDUPED, {}, force=True)
    assert lost.stem in read_evidence(project.paths).names.to_pylist()
    assert len([event for event in events if isinstance(event, Warned)]) == 1


def sha256_of(project, name):
    """The content of one of its files."""
    return hashlib.sha256(next((project.paths.data_root.parent / "photos").rglob(name)).read_bytes()).hexdigest()


def test_exact_compares_no_pixels(project):
    """Nor does off."""
    dedupe(project, mode="exact")
    assert not project.paths.judged.exists()


def test_dedupe_runs_again_where_its_evidence_is_gone(project):
    """Without the file, a split would not know what pixels hold to be one picture; once it is there, nothing runs."""
    dedupe(project)
    seen = project.paths.judged.read_bytes()
    assert dedupe(project)[1].skipped
    project.paths.judged.unlink()
    pipeline.decide(project, Stage.SPLIT, {})
    assert project.paths.judged.read_bytes() == seen
    assert dedupe(project)[1].skipped


def test_dedupe_runs_again_by_other_rules(project, monkeypatch):
    """Verdicts and flaws of another version of the judge are not used; what is in the catalog was chosen by them."""
    dedupe(project)
    assert dedupe(project)[1].skipped
    monkeypatch.setattr(seen, "JUDGE_VERSION", seen.JUDGE_VERSION + 1)
    assert not dedupe(project)[1].skipped
    assert dedupe(project)[1].skipped


def test_the_larger_strongly_compressed_copy_goes(project, tmp_path):
    """Its quality is read from the file, where its sketch is made."""
    whole = detailed(31)
    whole.save(tmp_path / "photos" / "rugby" / "fine.jpg", quality=80)
    whole.resize((480, 360)).save(tmp_path / "photos" / "rugby" / "coarse.jpg", quality=25)
    pipeline.fetch(project)
    dropped = dedupe(project)[0]
    assert "coarse.jpg" in dropped and "fine.jpg" not in dropped


def test_status_names_doubtful_pairs_on_two_sides(project):
    """Whatever was printed when the split was made: the catalog and the evidence are read."""
    table = pipeline.decide(project, Stage.SPLIT, {}).table
    kept = table[is_kept(table) & table["split"].notna()]
    (one, one_id), (other, other_id) = sorted(
        kept.loc[kept["split"] == side, ["sha256", "record_id"]].iloc[0].tolist() for side in ("train", "test")
    )
    pair = {"sha256": one, "other_sha256": other, "verdict": 2, "orientation": 0, "flaws": 0, "differs": ""}
    write_judged(project.paths.judged, pa.Table.from_pylist([pair], SCHEMA), compare_pictures.made_by())
    (news,) = (spell(news) for news in read_status(project).news if "may be one picture" in spell(news))
    assert one_id in news and other_id in news
    write_judged(project.paths.judged, SCHEMA.empty_table(), compare_pictures.made_by())
    assert not any("may be one picture" in spell(news) for news in read_status(project).news)


def test_what_is_forgotten_is_not_sketched_of_another_folder_either(project, tmp_path):
    """The folder that is compared with still has the picture: none of what shows it comes back."""
    exam = tmp_path / "exam"
    exam.mkdir()
    shutil.copy(tmp_path / "photos" / "rugby" / "whole.jpg", exam)
    gone = hashlib.sha256((exam / "whole.jpg").read_bytes()).hexdigest()
    compared = replace(project, recipe=project.recipe.with_overrides("dedupe", against=(str(exam),)))
    pipeline.decide(compared, Stage.DEDUPED, {})
    forget(compared, gone)
    pipeline.decide(compared, Stage.DEDUPED, {"dedupe": {"max_distance": 9}})
    files = (path for path in project.paths.folder.rglob("*") if path.is_file())
    holding = [path.name for path in files if gone.encode() in path.read_bytes()]
    assert not holding
    assert gone not in read_judged(project.paths.judged_elsewhere)["sha256"].to_pylist()


def test_of_equal_hashes_one_stands_for_both_data_sets():
    """Ours has contents a and d, theirs b: a and b have equal hashes, so that either may be compared with d."""
    names, files = np.array(list("abd"), object), np.array(["."] * 3, object)
    hashes = np.array([[1] * 8, [1] * 8, [2] * 8], np.uint64)
    pictures = Pictures(hashes, np.zeros((3, 32), np.uint8), np.zeros((0, 512), np.uint8), np.full(3, -1))
    contents = Contents(names, files, pictures, number_equal(pictures))
    ours, theirs = contents.take(np.array([0, 2])), contents.take(np.array([1]))
    both = ours.join(theirs)
    assert both.stand_for(ours).tolist() == [True, True, True]
    assert both.stand_for(theirs).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("verdict", "differs", "expected"),
    [(ONE, "", [0, 2]), (ONE, "without colours", [0, 1, 2]), (DOUBTFUL, "", [0, 1, 2]), (TWO, "", [0, 1, 2])],
)
def test_who_is_not_wholly_the_same_is_compared_by_itself(tmp_path, monkeypatch, verdict, differs, expected):
    """Contents a and b have equal hashes: what is one picture with b may be none with a."""
    hashes = np.array([[1] * 8, [1] * 8, [2] * 8], np.uint64)
    pictures = Pictures(hashes, np.zeros((3, 32), np.uint8), np.zeros((0, 512), np.uint8), np.full(3, -1))
    contents = Contents(np.array(list("abd"), object), np.array(["."] * 3, object), pictures, number_equal(pictures))
    row = dict.fromkeys(SCHEMA.names) | {"sha256": "a", "other_sha256": "b", "orientation": 0, "flaws": 0}
    judged = pa.Table.from_pylist([row | {"verdict": verdict, "differs": differs}], SCHEMA)
    chosen = []

    def choose(contents, nodes, *others):
        chosen.append(nodes.tolist())
        yield (np.array([0]), np.array([1])), None

    monkeypatch.setattr(compare_pictures, "_choose", choose)
    monkeypatch.setattr(compare_pictures._Judge, "judge", lambda *given: judged)
    means = Means(tmp_path / "judged.parquet", tmp_path, tmp_path, None, MAX_PIXELS, ignore)
    assert compare_pictures.compare_pictures(contents, DedupeSettings(), means).num_rows == 1  # named twice, kept once
    assert chosen == [expected]


def test_what_a_network_holds_most_alike_is_compared_with_what_is_turned(project, with_network, monkeypatch):
    """How alike it is to strangers says which of the two is upright; of others nothing is asked."""
    asked = []
    nearest_of = Neighbours.nearest_of
    monkeypatch.setattr(
        Neighbours, "nearest_of", lambda near, which, most: asked.append(which) or nearest_of(near, which, most)
    )
    dedupe(project)
    table = pq.read_table(project.paths.judged).to_pandas()
    mirrored, whole = sha256_of(project, "mirrored.jpg"), sha256_of(project, "whole.jpg")
    strangers = table[(table["verdict"] == 0) & table["cosine"].notna()]
    assert {mirrored, whole} & set(strangers[["sha256", "other_sha256"]].to_numpy().ravel())
    assert 2 <= len(asked[0]) <= 3  # the crop is mirrored against one of the two


def test_many_copies_of_one_picture_hide_no_crop_of_it(tmp_path, monkeypatch):
    """Points that many have say nothing: a few stand for those that are known to be one picture."""
    folder = write_folder(tmp_path / "photos", 3)
    whole = detailed(77)
    for quality in range(60, 96, 2):
        whole.save(folder / "rugby" / f"whole{quality}.jpg", quality=quality)
    whole.crop((60, 40, 290, 220)).save(folder / "rugby" / "cropped.jpg", quality=92)
    project = small_project(tmp_path, recipe_text(folder, per_class="max"))
    pipeline.fetch(project)
    assert len([name for name in dedupe(project)[0] if "whole" in name or "cropped" in name]) == 18


def test_a_file_that_goes_while_its_sketch_is_made_leaves_none(tmp_path, monkeypatch):
    """How strongly it was compressed decides who stays: kept as unknown, it would by chance."""
    file = tmp_path / "one.jpg"
    picture(3).convert("RGB").save(file, quality=30)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert SKETCHES.of_file(file, sha256, MAX_PIXELS)["jpeg"].tolist()[0] == 30
    render_to = summaries.render_to

    def render_and_remove(*given):
        seen = render_to(*given)
        file.unlink()
        return seen

    monkeypatch.setattr(summaries, "render_to", render_and_remove)
    with pytest.raises(StateError, match=r"one\.jpg cannot be compared"):
        SKETCHES.of_file(file, sha256, MAX_PIXELS)
