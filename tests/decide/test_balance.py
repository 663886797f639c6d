"""Balance keeps exactly N a label, in proportion to the sources, and says what is missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.catalog import Drop, is_kept
from curator.decide.balance import balance_labels, share_out
from curator.errors import ShortfallError
from curator.manifests.settings import BalanceSettings
from tests.decide.rows import by_id, make_table, sha256, shuffled
from tests.fuzz.rounds import examples

LABELS = ("rugby", "soccer")


def rows_of(counts):
    """So many images of each (label, source)."""
    pairs = [pair for pair, n in counts.items() for _ in range(n)]
    return [{"label": label, "source": source, "sha256": sha256(k)} for k, (label, source) in enumerate(pairs)]


counts = st.fixed_dictionaries({(label, source): st.integers(0, 25) for label in LABELS for source in "xyz"})


@settings(max_examples=examples(60), deadline=None)
@given(counts, st.one_of(st.integers(1, 40), st.just("max")), st.integers(0, 9))
def test_labels_are_exact_and_sources_in_proportion(found, per_class, seed):
    """N a label; each source within one image of its share; the order of the rows does not matter."""
    table = make_table(rows_of(found))
    have = {label: sum(n for (owner, _), n in found.items() if owner == label) for label in LABELS}
    wanted = min(have.values()) if per_class == "max" else per_class
    if wanted == 0 or min(have.values()) < wanted:
        with pytest.raises(ShortfallError):
            balance_labels(table, BalanceSettings(per_class), LABELS)
        return
    balanced = balance_labels(shuffled(table, seed), BalanceSettings(per_class), LABELS)
    kept = balanced[is_kept(balanced)]
    for label in LABELS:
        assert (kept["label"] == label).sum() == wanted
        for source in "xyz":
            share = wanted * found[label, source] / have[label]
            assert abs(((kept["label"] == label) & (kept["source"] == source)).sum() - share) < 1
    assert set(balanced["drop_reason"].dropna()) <= {Drop.SURPLUS}
    assert by_id(balanced).equals(by_id(balance_labels(table, BalanceSettings(per_class), LABELS)))


@settings(max_examples=examples(100), deadline=None)
@given(st.dictionaries(st.text(max_size=3), st.integers(0, 50), min_size=1), st.data())
def test_shares_add_up_and_fit(found, data):
    """No source gives more than it has."""
    total = sum(found.values())
    if not total:
        return
    seats = data.draw(st.integers(0, total))
    shares = share_out(found, seats)
    assert sum(shares.values()) == seats
    assert all(shares[name] <= count for name, count in found.items())


def test_too_few_images_say_which_and_what_would_work():
    """The message counts each label, and names the command and its N."""
    table = make_table(rows_of({("rugby", "x"): 3, ("soccer", "x"): 9}))
    with pytest.raises(ShortfallError) as caught:
        balance_labels(table, BalanceSettings(5), LABELS)
    assert caught.value.missing == {"rugby": 2, "soccer": 0}
    assert caught.value.exit_code == 1
    assert "`curator split --per-class max` would take 3 of each label" in str(caught.value)
    assert [line.split() for line in str(caught.value).splitlines()[1:3]] == [
        ["label", "have", "want", "missing"],
        ["rugby", "3", "5", "2"],
    ]


def test_a_label_without_images_is_a_shortfall_even_for_max():
    """There is no N that would work."""
    table = make_table(rows_of({("rugby", "x"): 3}))
    with pytest.raises(ShortfallError) as caught:
        balance_labels(table, BalanceSettings("max"), LABELS)
    assert caught.value.missing == {"rugby": 0, "soccer": 1}
    assert "--per-class" not in str(caught.value)


def test_all_keeps_uneven_labels():
    """Nothing is surplus; a label without any image is still a shortfall."""
    table = make_table(rows_of({("rugby", "x"): 3, ("soccer", "y"): 9}))
    assert is_kept(balance_labels(table, BalanceSettings("all"), LABELS)).all()
    with pytest.raises(ShortfallError) as caught:
        balance_labels(table[:3], BalanceSettings("all"), LABELS)
    assert caught.value.missing == {"rugby": 0, "soccer": 1}


def test_each_label_gets_its_own_number():
    """The evidence names the label's number; what is short of it is counted label by label."""
    table = make_table(rows_of({("rugby", "x"): 3, ("soccer", "y"): 9}))
    balanced = balance_labels(table, BalanceSettings({"rugby": 2, "soccer": 6}), LABELS)
    assert balanced["label"][is_kept(balanced)].value_counts().to_dict() == {"rugby": 2, "soccer": 6}
    assert set(balanced["drop_detail"].dropna()) == {"beyond 2 of rugby", "beyond 6 of soccer"}
    with pytest.raises(ShortfallError) as caught:
        balance_labels(table, BalanceSettings({"rugby": 5, "soccer": 6}), LABELS)
    assert caught.value.missing == {"rugby": 2, "soccer": 0}


def test_another_image_changes_one_choice_at_most():
    """The choice follows each image's own key."""
    rows = rows_of({("rugby", "x"): 60, ("soccer", "x"): 30})
    before = balance_labels(make_table(rows), BalanceSettings(20), LABELS)
    after = balance_labels(
        make_table([*rows, {"label": "rugby", "source": "x", "sha256": sha256("new")}]), BalanceSettings(20), LABELS
    )
    assert (is_kept(before) != is_kept(after)[:90]).sum() <= 1


def test_earlier_drops_keep_their_reason():
    """Surplus is only said of what was kept so far, with its evidence."""
    rows = rows_of({("rugby", "x"): 3, ("soccer", "x"): 1})
    rows[0] |= {"drop_stage": "fetched", "drop_reason": Drop.GONE}
    balanced = balance_labels(make_table(rows), BalanceSettings("max"), LABELS)
    assert balanced["drop_reason"][0] == Drop.GONE
    surplus = balanced[balanced["drop_reason"] == Drop.SURPLUS]
    assert surplus[["drop_stage", "drop_detail"]].to_numpy().tolist() == [["balanced", "beyond 1 a label"]]


def test_what_a_person_keeps_is_chosen_before_the_keyed_choice_and_the_standing_manifest():
    """Six wanted of sixty get six of ten places; with more wanted than places, no other image gets one."""
    table = make_table(rows_of({("rugby", "x"): 60, ("soccer", "x"): 10}))
    alone = is_kept(balance_labels(table, BalanceSettings(10), LABELS))
    losers = np.flatnonzero(~alone)
    standing = table[alone][["sha256", "label"]].assign(split="train")
    for earlier in (None, standing):
        for n in (6, 20):
            wanted = np.isin(np.arange(len(table)), losers[:n])
            kept = is_kept(balance_labels(table, BalanceSettings(10), LABELS, earlier, wanted))
            assert (kept & wanted).sum() == min(n, 10)
            assert (kept & ~wanted & (table["label"] == "rugby")).sum() == max(10 - n, 0)
            assert (kept & (table["label"] == "soccer")).sum() == 10
            assert (alone[kept & ~wanted]).all()
