"""The database: models, sessions, and every query of the service."""
