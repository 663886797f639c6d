"""What a picture looks like as a vector: frozen networks, run once an image, their features kept by content."""
