"""Start the review page, or say how to install what it needs: it is imported when it is first wanted.

>>> start_review.__name__
'start_review'
"""

from __future__ import annotations

from collections.abc import Callable

from curator.errors import CuratorError
from curator.manifests.project import Project


def start_review(
    project: Project, who: str, port: int, announce: Callable[[str, int], None], host: str = "127.0.0.1"
) -> int:
    """Serve the page until Ctrl-C: see :func:`curator.review.server.serve_review`.

    Raises:
        CuratorError: the extra ``review`` is not installed.
    """
    try:
        from curator.review.server import serve_review
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        hint = "Install it with `pip install 'imageset-curator[review]'`."
        raise CuratorError(f"The review page needs the package {error.name}.", hint) from error
    return serve_review(project, who, port, announce, host)
