"""The front end: torch's step and the objective, traced into a program of scalar operations."""
