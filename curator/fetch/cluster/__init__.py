"""A fetch on many machines, by Ray: the only folder that knows of it."""
