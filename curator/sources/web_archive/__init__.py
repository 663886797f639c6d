"""Captures of a web archive, for addresses that are dead."""
