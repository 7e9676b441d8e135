"""The contract between an engine and whoever drives it."""

from collections.abc import Callable
from typing import Protocol

from thalweg.engine.outcome import Chunk


class Interrupted(Exception):
    """The driver's `keep_going` returned False; the chunk under way is lost."""


class Run(Protocol):
    """A job being run by one of the engines, one chunk at a time.

    The driver chooses how many steps go into each chunk and may stop after any of them: a run knows no clock, no
    database and no deadline. Every engine promises:

    - **Cuts do not matter.** The concatenated chunks and the final results are the same to the last bit however
      the steps are split, including splits at which a new `Run` is started from a chunk's checkpoint.
    - **Company does not matter.** The digits of a run depend neither on the other runs of the job nor on the number
      of threads.
    - **Numerical failure is a result.** A value that is not finite, or an exception out of torch, ends that run
      with the outcome `diverged`; the other runs go on. `advance` raises only what means that the work could not
      be done.
    """

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do: all steps are done, or every run has ended."""
        ...

    @property
    def first_steps(self) -> int:
        """A size for the first chunk that is certain to take only a moment."""
        ...

    def most_steps(self, n_values: int) -> int:
        """Return the largest chunk, in steps and at least 1, that holds at most `n_values` numbers."""
        ...

    def advance(self, n_steps: int, keep_going: Callable[[], bool] = lambda: True) -> Chunk:
        """Do up to `n_steps` further updates and return their entries with the state they lead to.

        The first chunk of a job also holds the entry of its starting points. Call it only while `finished` is
        False.

        Args:
            n_steps: At least 1; fewer are done where the job has fewer left.
            keep_going: Called often during the work, so that a cancelled job does not have to wait for the end of
                a long chunk. False interrupts.

        Raises:
            Interrupted: `keep_going` returned False. The run is of no further use; start again from the last
                checkpoint.
        """
        ...
