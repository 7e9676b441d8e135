"""The processes that run jobs, and the feed that keeps them busy."""
