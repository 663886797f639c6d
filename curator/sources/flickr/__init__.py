"""Photos of Flickr that a search finds, under licences that a recipe allows."""
