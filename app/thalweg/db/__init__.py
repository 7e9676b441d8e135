"""The database: tables, connections, transitions, and every query of the service."""
