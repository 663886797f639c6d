"""Images of Open Images, from its tables of labels and boxes."""
