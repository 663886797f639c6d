"""Draw: events to progress bars, results to tables. Nothing else in curator writes to the terminal."""
