"""Code generation for points of many coordinates: loops over the coordinates of one run."""
