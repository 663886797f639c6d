"""The disk: where files stand and how they are written whole."""
