"""Whether two pictures are one: points found again, one picture laid over the other, and cells compared."""
