"""A client of the service: its endpoints as methods, over httpx."""

import ipaddress
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx
from httpx_sse import ServerSentEvent, SSEError, connect_sse

from thalweg.errors import ThalwegError

Json = dict[str, Any]

_ENDED = frozenset({"succeeded", "failed", "cancelled"})
_BROKEN_STATUSES = frozenset({502, 503, 504})
_MAX_WAIT_SECONDS = 60
_EVENT_TIMEOUT_SECONDS = 60.0
_MAX_BREAKS = 8
_FIRST_PAUSE_SECONDS = 0.25
_MAX_PAUSE_SECONDS = 4.0


class ApiError(ThalwegError):
    """The service answered with an error; the message is the `detail` of its problem document.

    Attributes:
        status: The HTTP status.
        problem: The problem document (RFC 9457); empty if the response has none.
    """

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(str(problem.get("detail") or f"the service answered HTTP {status} without a reason"))
        self.status = status
        self.problem = problem


class Client:
    """A connection to a Thalweg service; close it, or use it in a `with` statement.

    Every method raises `ApiError` if the service answers with an error, and `httpx.HTTPError` if it does not
    answer.

    Args:
        base_url: Base URL of the service.
        api_key: One of the service's API keys, if it requires one.
        timeout: Seconds to wait for a response, on top of the seconds a call asks the service to wait.
    """

    def __init__(
        self, base_url: str = "http://127.0.0.1:8000", api_key: str | None = None, timeout: float = 30.0
    ) -> None:
        self._timeout = timeout
        self._http = httpx.Client(
            base_url=base_url,
            headers={} if api_key is None else {"Authorization": f"Bearer {api_key}"},
            timeout=timeout,
            # a proxy from the environment could not reach this machine's loopback
            trust_env=not _is_this_machine(httpx.URL(base_url).host),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def submit(
        self, spec: Mapping[str, Any], *, idempotency_key: str | None = None, wait: float | None = None
    ) -> Json:
        """Post a job and return it, after it has ended or after `wait` seconds (at most 60).

        Args:
            spec: The body of `POST /v1/jobs`.
            idempotency_key: If sent again with the same spec, returns the existing job instead of a second one.
            wait: Seconds to wait for the job to end; by default return at once.
        """
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return self._json("POST", "/v1/jobs", body=dict(spec), headers=headers, wait=wait)

    def job(self, job_id: str, wait: float | None = None) -> Json:
        """Return a job as soon as it has ended, or after `wait` seconds (at most 60)."""
        return self._json("GET", f"/v1/jobs/{job_id}", wait=wait)

    def wait(self, job_id: str, timeout: float | None = None) -> Json:
        """Block until a job has ended, and return it.

        Args:
            job_id: The job's id.
            timeout: Seconds to wait at most; None waits without limit.

        Raises:
            TimeoutError: The job is still running after `timeout` seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _MAX_WAIT_SECONDS if until is None else until - time.monotonic()
            job = self.job(job_id, wait=min(max(left, 0), _MAX_WAIT_SECONDS))
            if job["status"] in _ENDED:
                return job
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(
                    f"job {job_id} did not end within {timeout} seconds; its status is {job['status']}"
                )

    def jobs(
        self,
        *,
        status: str | None = None,
        function: str | None = None,
        optimizer: str | None = None,
        tag: str | None = None,
        page: int = 100,
    ) -> Iterator[Json]:
        """Yield the jobs that match all filters, newest first, fetching `page` at a time."""
        return self._items("/v1/jobs", status=status, function=function, optimizer=optimizer, tag=tag, limit=page)

    def runs(self, job_id: str, *, page: int = 1000) -> Iterator[Json]:
        """Yield all runs of a job in order, fetching `page` at a time."""
        return self._items(f"/v1/jobs/{job_id}/runs", limit=page)

    def history(self, job_id: str, *, page: int = 1000) -> Iterator[Json]:
        """Yield the events of a job, oldest first: `seq`, `at`, `kind`, and what else is known of each."""
        return self._items(f"/v1/jobs/{job_id}/history", limit=page)

    def progress(self, job_id: str) -> Iterator[Json]:
        """Yield `{"step", "steps", "status"}` whenever the job advances, finally when it has ended.

        If the connection drops, reconnect and resume after the last event received.

        Raises:
            httpx.HTTPError: Connecting or reconnecting failed.
        """
        place: Json = {"step": 0, "steps": None, "status": None}
        shown: Json | None = None
        last_id: str | None = None
        breaks = 0
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                for event in self._events(job_id, last_id):
                    breaks, last_id = 0, event.id or last_id
                    pause = _FIRST_PAUSE_SECONDS if event.retry is None else event.retry / 1000
                    data: Json = event.json()
                    place = {**place, **data.get("progress", {}), **{k: data[k] for k in place if k in data}}
                    if place != shown:
                        shown = place
                        yield shown
                    if event.event == "done":
                        return
                raise httpx.RemoteProtocolError("the stream of events ended before the job")
            except (httpx.TransportError, ApiError) as error:
                breaks += 1
                refused = isinstance(error, ApiError) and error.status not in _BROKEN_STATUSES
                if refused or last_id is None or breaks > _MAX_BREAKS:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _MAX_PAUSE_SECONDS)

    def cancel(self, job_id: str) -> Json:
        """Cancel a job, keeping what it recorded, and return it."""
        return self._json("POST", f"/v1/jobs/{job_id}/cancel")

    def extend(
        self,
        job_id: str,
        steps: int | None = None,
        *,
        to_step: int | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Continue an ended job, and return it. Give either `steps` or `to_step`.

        Args:
            job_id: The job's id.
            steps: Number of additional steps.
            to_step: The step to stop at.
            idempotency_key: If sent again with the same extension, does not extend the job twice.
        """
        wanted = {"steps": steps, "to_step": to_step}
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        body = {name: value for name, value in wanted.items() if value is not None}
        return self._json("POST", f"/v1/jobs/{job_id}/extend", body=body, headers=headers)

    def delete(self, job_id: str) -> None:
        """Delete a job and everything it recorded."""
        self._request("DELETE", f"/v1/jobs/{job_id}")

    def trajectory(
        self,
        job_id: str,
        run: int = 0,
        *,
        from_step: int | None = None,
        to_step: int | None = None,
        max_points: int | None = None,
    ) -> Json:
        """Return the columns `step`, `x` and `f` of a run; entry k is the point before update k.

        Args:
            job_id: The job's id.
            run: Index of the run, from 0.
            from_step: First step, inclusive.
            to_step: Last step, inclusive.
            max_points: Thin to at most this many points, keeping first, last, best and extremes.
        """
        window = {"from_step": from_step, "to_step": to_step, "max_points": max_points}
        return self._json("GET", f"/v1/jobs/{job_id}/trajectory", query={"run": run, **window})

    def loss(self, job_id: str, run: int = 0, **window: int) -> Json:
        """Return the columns `step` and `f`: a network's loss at every step, whatever `record_every` is.

        Args:
            job_id: The job's id.
            run: Index of the run, from 0.
            window: `from_step`, `to_step` and `max_points`, as for `trajectory`.
        """
        return self._json("GET", f"/v1/jobs/{job_id}/loss", query={"run": run, **window})

    def landscape(self, job_id: str, run: int = 0, **plane: Any) -> Json:
        """Return the surface `x`, `y`, `z` around a run's path, with the path projected onto it.

        Args:
            job_id: The job's id.
            run: Index of the run, from 0.
            plane: `method` (`pca` or `random`), `points` along each axis, and `seed`.
        """
        return self._json("GET", f"/v1/jobs/{job_id}/landscape", query={"run": run, **plane})

    def backprop(self, job_id: str, run: int = 0, *, step: int | None = None, sample: int = 0) -> Json:
        """Return the backward pass of one sample through the network of a job, at a recorded step.

        Args:
            job_id: The job's id.
            run: Index of the run, from 0.
            step: The step; by default the last one.
            sample: Index of the sample in the job's data set.
        """
        return self._json("GET", f"/v1/jobs/{job_id}/backprop", query={"run": run, "step": step, "sample": sample})

    def backpropagate(self, **network: Any) -> Json:
        """Return the backward pass of one sample by the delta rule.

        Args:
            network: The body of `POST /v1/mlp/backprop`: `layers`, `input`, `target` and optional fields.
        """
        return self._json("POST", "/v1/mlp/backprop", body=network)

    def critical_points(self, function: str | Mapping[str, Any], **search: Any) -> Json:
        """Return the critical points of a function of two coordinates, classified.

        Args:
            function: A name from the catalogue, or a function as in a job.
            search: `low` and `high`, the corners of a box, and `starts`, the number along each axis.
        """
        return self._json("POST", "/v1/critical-points", body={"function": function, **search})

    def surface(self, function: str | Mapping[str, Any], **window: Any) -> Json:
        """Return `{"x", "y", "z"}`, with `z[j][i]` the value at `x[i]`, `y[j]`.

        Args:
            function: A name from the catalogue, or a function as in a job.
            window: `x_min`, `x_max`, `y_min`, `y_max` and `step` or `points`; to slice a function of more
                coordinates, also `axes` and `fixed`.
        """
        if isinstance(function, str) and not {"axes", "fixed"} & window.keys():
            return self._json("GET", f"/v1/functions/{function}/surface", query=window)
        return self._json("POST", "/v1/surface", body={"function": function, **window})

    def evaluate(
        self,
        function: str | Mapping[str, Any],
        points: Sequence[Sequence[float]],
        *,
        gradient: bool = False,
        hessian: bool = False,
    ) -> Json:
        """Return the values `f` at `points`, with `gradient` and `hessian` if requested."""
        body = {"function": function, "points": points, "gradient": gradient, "hessian": hessian}
        return self._json("POST", "/v1/evaluate", body=body)

    def functions(self) -> Iterator[Json]:
        """Yield the functions of the catalogue."""
        return self._items("/v1/functions")

    def function(self, name: str, dim: int | None = None) -> Json:
        """Return a function of the catalogue; `dim` sets the dimension if that is variable."""
        return self._json("GET", f"/v1/functions/{name}", query={"dim": dim})

    def optimizers(self) -> Iterator[Json]:
        """Yield the optimizers available to jobs."""
        return self._items("/v1/optimizers")

    def optimizer(self, name: str) -> Json:
        """Return an optimizer, with its parameters as JSON Schema."""
        return self._json("GET", f"/v1/optimizers/{name}")

    def schedulers(self) -> Iterator[Json]:
        """Yield the learning-rate schedulers available to jobs."""
        return self._items("/v1/schedulers")

    def networks(self) -> Json:
        """Return the options of networks: parameters as JSON Schema, data sets and losses."""
        return self._json("GET", "/v1/mlp")

    def ready(self) -> bool:
        """Return whether the service answers and has workers to run jobs."""
        try:
            return self._http.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def _events(self, job_id: str, last_id: str | None) -> Iterator[ServerSentEvent]:
        headers = {} if last_id is None else {"Last-Event-ID": last_id}
        timeout = httpx.Timeout(self._timeout, read=_EVENT_TIMEOUT_SECONDS)
        path = f"/v1/jobs/{job_id}/events"
        with connect_sse(self._http, "GET", path, headers=headers, timeout=timeout) as source:
            _check(source.response)
            try:
                yield from source.iter_sse()
            except SSEError as error:
                raise ApiError(source.response.status_code, {"detail": str(error)}) from error

    def _items(self, path: str, **query: Any) -> Iterator[Json]:
        while True:
            page = self._json("GET", path, query=query)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def _json(self, method: str, path: str, **request: Any) -> Json:
        answer: Json = self._request(method, path, **request).json()
        return answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        wait: float | None = None,
    ) -> httpx.Response:
        seconds = None if wait is None else min(max(math.ceil(wait), 0), _MAX_WAIT_SECONDS)
        response = self._http.request(
            method,
            path,
            params={name: value for name, value in (query or {}).items() if value is not None},
            json=body,
            headers={**(headers or {}), **({} if seconds is None else {"Prefer": f"wait={seconds}"})},
            timeout=self._timeout + (seconds or 0),
        )
        _check(response)
        return response


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    response.read()
    try:
        problem = response.json()
    except ValueError:
        problem = None
    raise ApiError(response.status_code, problem if isinstance(problem, dict) else {})
