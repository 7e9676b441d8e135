"""What runs a job: torch's loop, native code traced from it, and their results. Pure: no network, disk or clock."""
