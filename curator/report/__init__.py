"""One self-contained page from the catalog, the manifest and the benchmark."""
