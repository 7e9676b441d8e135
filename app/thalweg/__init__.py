"""Thalweg: gradient descent as a service."""
