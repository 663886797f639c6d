"""The models that a benchmark trains: one file a model, and what they share."""
