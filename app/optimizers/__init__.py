"""torch.optim and its learning rate schedules, as validated models that describe themselves."""
