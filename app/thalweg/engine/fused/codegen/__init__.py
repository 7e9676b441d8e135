"""Code generation: from a traced program to LLVM assembly."""
