"""Measurements, as ratios within one run: the machine that they run on is shared and noisy."""
