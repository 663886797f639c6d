"""A local web page over the catalog, on which a person keeps, drops and relabels images.

``images`` holds the catalog in memory, ``query`` filters it, ``views`` and ``sorting`` order it, ``decisions`` and
``batches`` write what was decided, ``service`` answers the page's requests, ``guard`` refuses all but this page,
``server`` listens, ``network`` knows this machine's names. ``page/`` is the page: modules as the browser loads them.
"""
