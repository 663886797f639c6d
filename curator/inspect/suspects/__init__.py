"""Which images are probably wrong: of another label, of none, or poor pictures; nothing is dropped by it."""
