"""Bytes to facts, one decode an image."""
