"""The eager engine: torch's own loop over all runs at once."""
