"""Photos of iNaturalist by taxon, from its open-data tables."""
