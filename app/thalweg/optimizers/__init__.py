"""torch.optim and its schedules, as validated, self-describing models."""
