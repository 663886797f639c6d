"""Images of a table of addresses: CSV, TSV, JSON or Parquet."""
