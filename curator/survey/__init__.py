"""Look at what a person has, and write the recipe that makes a data set of it."""
