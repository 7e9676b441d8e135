"""The families of optimizers: a module for each, and beside it the record of what was measured."""
