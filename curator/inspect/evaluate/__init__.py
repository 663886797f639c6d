"""Saved models at work on pictures that they have not seen: on another set, and on single pictures."""
