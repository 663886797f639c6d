"""A fetch in fragments: the rows of some host families each, whose outcomes are published by one commit."""
