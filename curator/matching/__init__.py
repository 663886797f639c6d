"""The same picture in two files: hashes, Hamming search, confirmation, crops, orientations."""
