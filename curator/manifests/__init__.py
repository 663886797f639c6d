"""What is committed below ``manifests/<name>/``: recipe, manifest, reviews, tombstones."""
