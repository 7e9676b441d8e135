"""The use cases of a job, its states, and the ports through which it is stored, run and watched."""
