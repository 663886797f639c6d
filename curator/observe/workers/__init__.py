"""Processes that decode untrusted bytes and may die doing it."""
