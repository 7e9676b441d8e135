"""The runtime: kernels compiled, kept on disk, and run."""
