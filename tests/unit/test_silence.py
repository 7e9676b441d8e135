"""How long a worker has not been heard of."""

from thalweg.workers.silence import Silence


def test_silence_is_what_passed_since_the_last_heartbeat() -> None:
    silence = Silence()
    assert silence.look({"a": 100.0, "b": 100.0}, 0.0) == {"a": 0.0, "b": 0.0}
    assert silence.look({"a": 100.4, "b": 100.0}, 0.5) == {"a": 0.0, "b": 0.5}
    assert silence.look({"a": 100.8, "b": 100.0}, 1.0) == {"a": 0.0, "b": 1.0}
    assert silence.look({"a": 100.8, "b": 101.0}, 1.5) == {"a": 0.5, "b": 0.0}


def test_a_worker_that_is_new_or_gone_is_not_silent() -> None:
    silence = Silence()
    silence.look({"a": 1.0}, 0.0)
    assert silence.look({"b": 1.0}, 0.5) == {"b": 0.0}
    assert silence.look({"a": 1.0, "b": 1.0}, 1.0) == {"a": 0.0, "b": 0.5}


def test_nobody_was_silent_while_this_process_did_not_listen() -> None:
    silence = Silence()
    silence.look({"a": 1.0}, 0.0)
    assert silence.look({"a": 1.0}, 3600.0) == {"a": 1.0}


def test_a_clock_of_the_worker_that_jumps_is_a_sign_of_life() -> None:
    silence = Silence()
    silence.look({"a": 5000.0}, 0.0)
    assert silence.look({"a": 1000.0}, 0.5) == {"a": 0.0}
