"""Data sets of images of the Hugging Face hub, or of a folder, as Parquet."""
