"""The versions of what is seen in pictures: raised when a verdict, flaw or summary comes out otherwise than before.

``JUDGE_VERSION`` counts for the rules by which flaws are told (:mod:`curator.decide.flaws`) and for chains, too:
nothing else would have an up-to-date ``dedupe`` choose anew.
"""

JUDGE_VERSION = 15
SKETCH_VERSION = 5
GLIMPSE_VERSION = 2
