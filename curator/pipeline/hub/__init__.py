"""A finished data set pushed to the Hugging Face hub."""
