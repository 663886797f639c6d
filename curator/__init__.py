"""Build labelled image-classification data sets that a person can trust, cite and rebuild."""

__version__ = "0.1.0"
