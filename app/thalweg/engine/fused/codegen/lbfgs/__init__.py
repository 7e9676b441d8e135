"""The second definition of LBFGS: its code branches and loops on data, so it cannot be traced.

`line_search.py` and `step.py` are to be read beside `torch/optim/lbfgs.py` of PyTorch 2.13. The arithmetic of its
scalars, which are Python's floats or tensors depending on data, is in `numbers.py`, that of its vectors in
`vectors.py`.
"""
