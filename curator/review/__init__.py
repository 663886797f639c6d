"""A local web page over the catalog, on which a person keeps, drops and relabels images.

``images`` holds the catalog in memory, ``query`` filters it, ``views`` orders it, ``decisions`` writes what was
decided, ``service`` answers the page's requests, ``guard`` refuses all but this page, ``server`` listens.
"""
