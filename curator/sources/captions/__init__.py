"""Images of tables of addresses and captions, by the words of the captions."""
