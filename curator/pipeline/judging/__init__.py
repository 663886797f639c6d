"""Compare pictures pixel by pixel: which pairs deserve it, their sketches, the verdicts; decisions take these as data."""
