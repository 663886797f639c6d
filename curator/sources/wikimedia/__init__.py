"""Files of Wikimedia Commons, or of another MediaWiki, by category and by search."""
