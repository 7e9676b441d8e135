"""What is minimised: the catalogue of test functions and the objectives that a job may bring itself."""
