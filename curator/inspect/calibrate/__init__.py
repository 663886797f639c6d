"""How well dedupe works on your own images: altered copies are searched for, and strangers counted."""
