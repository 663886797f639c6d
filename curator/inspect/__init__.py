"""Questions that change no decision: status, why, verify, diff; how well dedupe works; what a fetch will yield."""
