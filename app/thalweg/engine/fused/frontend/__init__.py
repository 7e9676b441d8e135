"""The front end: objective and optimizer step, traced into a program of scalar operations."""
