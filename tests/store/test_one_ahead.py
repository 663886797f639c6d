"""Making one thing ahead changes neither what comes, nor where an error comes."""

import pytest

from curator.store.one_ahead import one_ahead


def count_to(n, made, fail_at=None):
    """Count, and note what was made."""
    for number in range(n):
        if number == fail_at:
            raise OSError("the disk is gone")
        made.append(number)
        yield number


@pytest.mark.parametrize("n", [0, 1, 2, 9])
def test_all_come_in_order(n):
    """Nothing, one, many."""
    assert list(one_ahead(count_to(n, []))) == list(range(n))


def test_one_at_most_is_made_ahead():
    """Who takes two has had three made: of groups of a catalog, memory for one more."""
    made = []
    coming = one_ahead(count_to(9, made))
    assert [next(coming), next(coming)] == [0, 1]
    coming.close()
    assert made in ([0, 1], [0, 1, 2])


def test_an_error_comes_after_what_came_before_it():
    """As without the thread."""
    had = []
    with pytest.raises(OSError, match="the disk is gone"):
        for number in one_ahead(count_to(9, [], fail_at=3)):
            had.append(number)
    assert had == [0, 1, 2]
