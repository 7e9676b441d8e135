"""What runs a job: its specification, torch's loop, and what that gives. It knows no HTTP, SQL or clock."""
