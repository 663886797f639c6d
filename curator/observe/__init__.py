"""Bytes to facts: what a file is, its size, its hashes, and what is wrong with it."""
