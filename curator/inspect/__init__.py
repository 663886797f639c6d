"""Questions that change nothing: status, why, verify, diff."""
