"""Images in the tar shards of an object store, and where each of them is."""
