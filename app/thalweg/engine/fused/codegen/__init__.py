"""Code generation: a traced program written out as LLVM assembly."""
