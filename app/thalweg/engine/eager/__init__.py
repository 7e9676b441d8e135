"""The eager engine: torch's own loop, over all runs of a job at once."""
