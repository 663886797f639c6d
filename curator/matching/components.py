"""Number the connected components of a graph, given as arrays of links.

>>> label_components(5, np.array([3, 4]), np.array([1, 3]))
array([0, 1, 2, 1, 1])
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curator.matching.sort_order import sort_order

IntArray = npt.NDArray[np.int64]


def label_components(n: int, i: npt.NDArray[np.intp], j: npt.NDArray[np.intp]) -> IntArray:
    """Label each of ``n`` nodes with the smallest node that links connect it to, however many links away.

    Every round hooks each tree to the smallest tree that it is linked to and then flattens all trees, as in Shiloach
    and Vishkin, "An O(log n) parallel connectivity algorithm", Journal of Algorithms 3 (1982).

    Args:
        n: number of nodes.
        i: shape (links,), one end of each link.
        j: shape (links,), the other end.
    """
    root = np.arange(n, dtype=np.int64)
    while True:
        a, b = root[i], root[j]
        apart = a != b
        if not apart.any():
            return root
        i, j, a, b = i[apart], j[apart], a[apart], b[apart]
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(root, root[root]):
            root = root[root]


def link_equal(numbers: IntArray) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Link each node to the next one of the same number; -1 is equal to nothing.

    >>> link_equal(np.array([7, -1, 7, -1, 7]))
    (array([0, 2]), array([2, 4]))
    """
    nodes = np.flatnonzero(numbers >= 0)
    order = nodes[sort_order(numbers[nodes])]
    same = np.flatnonzero(np.diff(numbers[order]) == 0)
    return order[same], order[same + 1]
