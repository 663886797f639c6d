"""The disk: where files are and how they are written whole."""
