"""Whatever a source raises is a failure of that source alone: what a stranger wrote there ends no other.

>>> with as_source_error():
...     int("two")
Traceback (most recent call last):
    ...
curator.errors.SourceError: it could not be read (ValueError: invalid literal for int() with base 10: 'two'). ...
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curator.errors import CuratorError, SourceError, is_link_loop, why
from curator.sources.budget import raise_it

_OF_ALL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE)
"""What the machine refuses, to every source alike."""


@contextmanager
def as_source_error() -> Iterator[None]:
    """Raise :class:`SourceError` in the place of any error but those that concern all, such as a full disk.

    An error that nobody thought of says where it was raised, so that it can be reported.

    Raises:
        SourceError: see there.
    """
    try:
        yield
    except CuratorError:
        raise
    except MemoryError as error:
        what = f"Divide its list into smaller ones. {raise_it('max_memory')}"
        raise SourceError("it takes more memory than a list may.", what) from error
    except RecursionError as error:
        raise SourceError("it is nested too deeply.", "Mend that, or name another file.") from error
    except OSError as error:
        if error.errno in _OF_ALL:
            raise
        what = f"{error.filename or 'it'} could not be read ({why(error)})."
        raise SourceError(what, "Mend that, or name another file.") from error
    except Exception as error:
        if is_link_loop(error):
            raise SourceError("it is a link that leads in a circle.", "Mend that, or name another file.") from error
        where = traceback.extract_tb(error.__traceback__)[-1]
        hint = f"Please report this as a fault of curator, with {Path(where.filename).name}:{where.lineno}."
        raise SourceError(f"it could not be read ({type(error).__name__}: {str(error)[:200]}).", hint) from error
