"""The models that a benchmark trains: registry.py lists them, one file declares each; the others they share."""
