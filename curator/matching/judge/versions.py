"""The versions of what is seen in pictures: raised when a verdict, or a summary, comes out otherwise than before."""

JUDGE_VERSION = 15
SKETCH_VERSION = 5
GLIMPSE_VERSION = 2
