"""Frames of local videos."""
