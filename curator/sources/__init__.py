"""Who lists images: one file or folder a source, registered in ``registry.py``."""
