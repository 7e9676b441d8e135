"""What is asked of a function or a record apart from running a job."""
