"""Labels are texts as people write them; each gets a safe folder, and other names may mean it."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.manifests.labels import LabelFinder, folder_name, label_problem, label_problems

WRITTEN = {
    "rugby": "rugby",
    "a__b-c": "a__b-c",
    "Golden Retriever": "Golden_Retriever",
    "Käfer": "Käfer",
    "犬": "犬",
    "हिन्दी": "हिन्दी",
    "../../etc": "etc",
    "..": "label-",
    "con": "con_",
    "LPT1.x": "LPT1.x_",
    "50% / 60%": "50_60",
    "🐕": "label-",
    "a\\b:c|d?e*f": "a_b_c_d_e_f",
    ".hidden": "hidden",
    "0": "0",
}


@pytest.mark.parametrize(("label", "folder"), WRITTEN.items())
def test_a_label_gets_a_folder_of_its_letters(label, folder):
    """What is no letter, digit, -, _ or . becomes a _; what is left empty gets a hash."""
    found = folder_name(label)
    assert found == folder or (folder.endswith("-") and found.startswith(folder))


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=300))
def test_any_label_has_a_folder_that_every_system_takes(text):
    """One part of a path, at most 100 bytes, not hidden, not ending in a dot or space, the same again."""
    name = folder_name(text)
    assert name not in ("", ".", "..") and Path(name).name == name
    assert not name.startswith((".", " ")) and not name.endswith((".", " "))
    assert len(name.encode()) <= 100
    assert not set(name) & set('<>:"/\\|?*')
    assert folder_name(text) == name == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("label", ["", " ", " a", "a\n", "a\tb", "a\0", "\x85b", "a\u2028b", "e\u0301", "x" * 201, 7])
def test_what_cannot_be_a_label_is_said(label):
    """Nothing, spaces at the ends, control characters, decomposed accents, too long, no text."""
    assert label_problem(label)


def test_labels_that_would_share_a_folder_are_refused():
    """Also on systems that do not tell Dog from dog."""
    for labels in (("Dog", "dog"), ("a b", "a_b"), ("a/b", "a b"), ("Straße", "STRASSE")):
        (problem,) = label_problems(dict.fromkeys(labels, ()))
        assert all(repr(label) in problem for label in labels) and "rename" in problem


def test_one_name_cannot_mean_two_labels():
    """It is said which two."""
    assert list(label_problems({"dog": ("pet",), "cat": ("pet",)})) == ["labels 'dog' and 'cat' both name 'pet'"]


def test_what_means_a_label():
    """As written, then folded, then by a pattern; a label's own name comes before another's pattern."""
    finder = LabelFinder({"dog": ("Hund", "n02084071*", "c?t"), "cat": (), "Golden Retriever": ()})
    means = {
        "dog": "dog",
        " dog ": "dog",
        "DOG": "dog",
        "hund": "dog",
        "n02084071-x": "dog",
        "cat": "cat",
        "cut": "dog",
        "golden_retriever": "Golden Retriever",
        "golden-retriever": "Golden Retriever",
        "dogs": None,
        "": None,
        "n0208407": None,
    }
    assert {text: finder.find(text) for text in means} == means
    assert LabelFinder({"Käfer": ()}).find(unicodedata.normalize("NFD", "Käfer")) == "Käfer"
