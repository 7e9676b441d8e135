"""What a job says: its validated specification and the limits on it."""
