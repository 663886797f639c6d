"""A rendered world and the server that serves it as the real web would, faults included."""
