"""Compare pictures pixel by pixel: choose pairs, make sketches, judge; decisions take the verdicts as data."""
