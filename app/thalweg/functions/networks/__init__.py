"""Feedforward networks as objectives, and their backward pass written out."""
