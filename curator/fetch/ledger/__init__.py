"""The record of every request ever made; the only place that speaks SQL."""
