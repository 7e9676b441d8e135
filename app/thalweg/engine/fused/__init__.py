"""The fused engine: torch's own step, traced and compiled into a native loop."""
