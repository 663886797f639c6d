"""The plots of a benchmark and their colours."""
