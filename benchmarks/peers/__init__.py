"""Other ways to do what a job does: what somebody would write who needs it fast.

Each way is a function that prepares it: it returns a callable that was compiled and called once already, does the
whole work each time, and returns what it found. All of them use one thread.

- `by_hand`: Numba, `nogil`, numpy's division.
- `c`: a C program, `gcc -O3 -march=native -ffp-contract=off -fno-math-errno -fno-trapping-math`.
- `xla`: jax with optax, in float64, under `jit` and `scan`; XLA held to one thread by `NPROC=1`.
- `compiled`: a step of torch's own optimizer under `torch.compile`.
"""
