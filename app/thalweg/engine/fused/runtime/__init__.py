"""The runtime: compiling kernels, caching them on disk, and running them."""
