"""The report: one self-contained page from the catalog and the benchmark."""
