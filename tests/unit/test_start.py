"""The two engines keep one contract, and `start` gives the one that was asked for."""

from pathlib import Path

import numpy as np
import pytest

from tests.unit.driving import assert_equal, drive, job
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.fused.runtime.kernels import Kernels
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.engine.run import Interrupted
from thalweg.engine.start import start
from thalweg.spec.engine_choice import EngineName

ENGINES: dict[EngineName, type[EagerRun | FusedRun]] = {"eager": EagerRun, "fused": FusedRun}


@pytest.mark.parametrize("engine", ENGINES)
def test_start_gives_the_engine_asked_for(engine: EngineName) -> None:
    assert type(start(job(steps=3), engine)) is ENGINES[engine]


@pytest.mark.parametrize("engine", ENGINES)
def test_start_continues_from_a_checkpoint(engine: EngineName) -> None:
    spec = job(steps=30, init=[[0, 0], [4, 0]])
    whole = drive(spec, engine=lambda spec, at: start(spec, engine, at))
    assert_equal(drive(spec, [1, 12], engine=lambda spec, at: start(spec, engine, at)), whole)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_reports_when_nothing_is_left(engine: EngineName) -> None:
    run = start(job(steps=3), engine)
    assert not run.finished
    assert run.advance(2).steps.tolist() == [0, 1, 2]
    assert not run.finished
    assert run.advance(10).steps.tolist() == [3]
    assert run.finished


@pytest.mark.parametrize("engine", ENGINES)
def test_the_first_chunk_and_the_largest_have_a_step_at_least(engine: EngineName) -> None:
    run = start(job(steps=3, init=[[0, 0]] * 50), engine)
    assert run.first_steps >= 1
    assert run.most_steps(1) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_chunk_holds_no_more_numbers_than_asked(engine: EngineName) -> None:
    n_values = 3000
    run = start(job(steps=10**6, init=[[0, 0], [4, 0]]), engine)
    run.advance(1)
    chunk = run.advance(run.most_steps(n_values))
    assert 1 <= chunk.x.size + chunk.f.size <= n_values


@pytest.mark.parametrize("engine", ENGINES)
def test_a_driver_that_wants_no_more_interrupts(engine: EngineName) -> None:
    with pytest.raises(Interrupted):
        start(job(steps=3), engine).advance(3, lambda: False)


def test_the_fused_engine_compiles_into_the_cache_it_is_given(tmp_path: Path) -> None:
    chunk = start(job(steps=3), "fused", kernels=Kernels(tmp_path)).advance(3)
    assert np.isfinite(chunk.f).all()
    assert len(list(tmp_path.iterdir())) == 1
