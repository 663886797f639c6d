"""Images that are on this machine already."""
