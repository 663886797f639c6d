"""A local web page over the catalog, on which a person keeps, drops and relabels images.

``library`` holds the catalog in memory, ``query`` filters it, ``views`` orders it, ``decisions`` writes what was
decided, ``thumbnails`` makes the pictures, ``guard`` lets only this page in, ``app`` answers,
``server`` listens.
"""
