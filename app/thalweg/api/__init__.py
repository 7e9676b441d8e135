"""The HTTP contract: routers, wire envelopes, dependencies, and the one table from error to status."""
