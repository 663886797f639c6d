"""Which classes the sources have, by the words that people use: an index that the package ships."""
