"""What curation bought: accuracy with copies and wrong labels in the training images, and without them."""
