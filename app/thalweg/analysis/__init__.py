"""Questions about a function or a recorded run that are answered without running a job."""
