"""What a job is: its record, its states, and who may run it."""
