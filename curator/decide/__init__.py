"""Pure decisions over the catalog: a table and settings in, a table out."""
