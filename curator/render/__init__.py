"""Results and progress on the terminal."""
