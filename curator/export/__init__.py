"""A data set for other tools: one file a format."""
