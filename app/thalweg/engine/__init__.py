"""What runs a job: torch's loop, native code traced from it, and results. It knows no HTTP, SQL or clock."""
