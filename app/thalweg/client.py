"""The client: the service's endpoints as methods, over httpx."""

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
    """The service refused a request, or failed at it; the message is the sentence that it gave.

    Attributes:
        status: The HTTP status.
        problem: The problem (RFC 9457) as it came; empty where the answer was none.
    """

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(str(problem.get("detail") or f"the answer is HTTP {status}, without a reason"))
        self.status = status
        self.problem = problem


class Client:
    """A connection to a Thalweg service; close it, or use it in a `with` statement.

    Every method raises `ApiError` for an answer that is an error, and httpx's own errors (`httpx.HTTPError`)
    where no answer comes.

    Args:
        base_url: Where the service is.
        api_key: One of the service's keys, where it wants one.
        timeout: Seconds to wait for an answer, on top of those that a call asks the service to wait.
    """

    def __init__(
        self, base_url: str = "http://127.0.0.1:8000", api_key: str | None = None, timeout: float = 30.0
    ) -> None:
        self._timeout = timeout
        self._http = httpx.Client(
            base_url=base_url,
            headers={} if api_key is None else {"Authorization": f"Bearer {api_key}"},
            timeout=timeout,
            # a proxy that the environment names cannot reach this machine's loopback
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
        """Post a job and return it: stored, and ended if it ends within `wait` seconds (at most 60).

        Args:
            spec: The job, as `POST /v1/jobs` has it.
            idempotency_key: Sent again with the same job, it gives that job instead of a second one.
            wait: Seconds to wait for its end.
        """
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return self._json("POST", "/v1/jobs", body=dict(spec), headers=headers, wait=wait)

    def job(self, job_id: str, wait: float | None = None) -> Json:
        """Return a job, as soon as it has ended or after `wait` seconds (at most 60)."""
        return self._json("GET", f"/v1/jobs/{job_id}", wait=wait)

    def wait(self, job_id: str, timeout: float | None = None) -> Json:
        """Return a job when it has ended, however long that takes.

        Args:
            job_id: The job.
            timeout: Seconds after which to give up.

        Raises:
            TimeoutError: The job had not ended by then.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _MAX_WAIT_SECONDS if until is None else until - time.monotonic()
            job = self.job(job_id, wait=min(max(left, 0), _MAX_WAIT_SECONDS))
            if job["status"] in _ENDED:
                return job
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"job {job_id} has not ended after {timeout} seconds; it is {job['status']}")

    def jobs(
        self,
        *,
        status: str | None = None,
        function: str | None = None,
        optimizer: str | None = None,
        tag: str | None = None,
        page: int = 100,
    ) -> Iterator[Json]:
        """Yield the jobs that match, newest first, asking for `page` of them at a time."""
        return self._items("/v1/jobs", status=status, function=function, optimizer=optimizer, tag=tag, limit=page)

    def runs(self, job_id: str, *, page: int = 1000) -> Iterator[Json]:
        """Yield all runs of a job, in order, asking for `page` of them at a time."""
        return self._items(f"/v1/jobs/{job_id}/runs", limit=page)

    def progress(self, job_id: str) -> Iterator[Json]:
        """Yield `{"step", "steps", "status"}` whenever the job is further, the last time when it has ended.

        A connection that breaks is made again, and goes on after the last event that was seen.

        Raises:
            httpx.HTTPError: The first connection cannot be made, or a broken one not again.
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
        """End a job now, keeping what was recorded, and return it."""
        return self._json("POST", f"/v1/jobs/{job_id}/cancel")

    def extend(
        self,
        job_id: str,
        steps: int | None = None,
        *,
        to_step: int | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Take an ended job further, and return it.

        Args:
            job_id: The job.
            steps: How many steps further; or
            to_step: up to which step.
            idempotency_key: Sent again with the same extension, it extends the job no further.
        """
        wanted = {"steps": steps, "to_step": to_step}
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        body = {name: value for name, value in wanted.items() if value is not None}
        return self._json("POST", f"/v1/jobs/{job_id}/extend", body=body, headers=headers)

    def delete(self, job_id: str) -> None:
        """Delete a job and all that was recorded of it."""
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
            job_id: The job.
            run: The run, from 0.
            from_step: The first entry, included.
            to_step: The last entry, included.
            max_points: Thin to so many, keeping first, last, best and extremes.
        """
        window = {"from_step": from_step, "to_step": to_step, "max_points": max_points}
        return self._json("GET", f"/v1/jobs/{job_id}/trajectory", query={"run": run, **window})

    def loss(self, job_id: str, run: int = 0, **window: int) -> Json:
        """Return the columns `step` and `f`: a network's loss at every step, however seldom a run is recorded.

        Args:
            job_id: The job.
            run: The run, from 0.
            window: `from_step`, `to_step` and `max_points`, as of a trajectory.
        """
        return self._json("GET", f"/v1/jobs/{job_id}/loss", query={"run": run, **window})

    def landscape(self, job_id: str, run: int = 0, **plane: Any) -> Json:
        """Return the surface `x`, `y`, `z` around a run's path, and the path on it.

        Args:
            job_id: The job.
            run: The run, from 0.
            plane: `method` (`pca` or `random`), `points` along each axis, and `seed`.
        """
        return self._json("GET", f"/v1/jobs/{job_id}/landscape", query={"run": run, **plane})

    def backprop(self, job_id: str, run: int = 0, *, step: int | None = None, sample: int = 0) -> Json:
        """Return the backward pass of a sample through the network that a job trains, at a recorded step.

        Args:
            job_id: The job.
            run: The run, from 0.
            step: The step; the last one if None.
            sample: Which sample of its data.
        """
        return self._json("GET", f"/v1/jobs/{job_id}/backprop", query={"run": run, "step": step, "sample": sample})

    def backpropagate(self, **network: Any) -> Json:
        """Return the backward pass of a sample by the delta rule.

        Args:
            network: `layers`, `input` and `target`, and what else `POST /v1/mlp/backprop` takes.
        """
        return self._json("POST", "/v1/mlp/backprop", body=network)

    def critical_points(self, function: str | Mapping[str, Any], **search: Any) -> Json:
        """Return where the gradient of a function of two coordinates vanishes, and what is there.

        Args:
            function: A name of the catalogue, or a function as a job has it.
            search: `low` and `high`, the corners of a box, and `starts` along each axis.
        """
        return self._json("POST", "/v1/critical-points", body={"function": function, **search})

    def surface(self, function: str | Mapping[str, Any], **window: Any) -> Json:
        """Return `{"x", "y", "z"}`, with `z[j][i]` the value at `x[i]`, `y[j]`.

        Args:
            function: A name of the catalogue, or a function as a job has it.
            window: `x_min`, `x_max`, `y_min`, `y_max` and `step` or `points`; and to slice a function of more
                coordinates, `axes` and `fixed`.
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
        """Return the column `f` of the values at `points`, and `gradient` and `hessian` where asked."""
        body = {"function": function, "points": points, "gradient": gradient, "hessian": hessian}
        return self._json("POST", "/v1/evaluate", body=body)

    def functions(self) -> Iterator[Json]:
        """Yield the functions of the catalogue."""
        return self._items("/v1/functions")

    def function(self, name: str, dim: int | None = None) -> Json:
        """Return a function of the catalogue, in `dim` dimensions if it has any number of them."""
        return self._json("GET", f"/v1/functions/{name}", query={"dim": dim})

    def optimizers(self) -> Iterator[Json]:
        """Yield the optimizers that a job can use."""
        return self._items("/v1/optimizers")

    def schedulers(self) -> Iterator[Json]:
        """Yield the learning-rate schedulers that a job can use."""
        return self._items("/v1/schedulers")

    def networks(self) -> Json:
        """Return what a network can be told: its parameters, the data sets and the losses."""
        return self._json("GET", "/v1/mlp")

    def ready(self) -> bool:
        """Return whether the service answers and can run jobs."""
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
