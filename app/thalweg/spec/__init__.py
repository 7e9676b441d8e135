"""What a job says: its specification, validated, and the limits that it is held to."""
