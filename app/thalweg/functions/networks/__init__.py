"""Feedforward networks as objectives, and their backward pass by the delta rule."""
