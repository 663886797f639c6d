"""What a fetch will yield, from a probe of a few addresses."""
