"""The worker processes, and the feed that gives them jobs."""
