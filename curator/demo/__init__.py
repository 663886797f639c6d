"""A rendered two-class world and a loopback server that serves it as the real sources do."""
