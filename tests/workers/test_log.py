"""What a service that runs for itself writes into its log."""

import sqlite3
from pathlib import Path

from tests.workers.service import Service, until


def test_lines_about_a_request_carry_its_id(tmp_path: Path) -> None:
    with Service(tmp_path, workers=1) as service:
        job_id = service.post()
        service.ended(job_id)
        with sqlite3.connect(tmp_path / "thalweg.db") as connection:
            connection.execute("UPDATE jobs SET status = 'odd'")
        connection.close()
        good = service.client.get("/healthz", headers={"X-Request-ID": "a-good-one"})
        bad = [
            service.client.get(path, headers={"X-Request-ID": request_id})
            for path, request_id in (("/v1/jobs", "in-a-thread"), (f"/v1/jobs/{job_id}/events", "in-a-stream"))
        ]
        chosen = service.client.get(f"/v1/jobs/{job_id}").headers["x-request-id"]
        assert (good.status_code, [answer.status_code for answer in bad]) == (200, [500, 500])
        assert bad[0].headers["x-request-id"] == "in-a-thread"
        assert "X-Request-ID" in bad[0].json()["detail"]

        def lines_of(request_id: str) -> list[str]:
            return [line for line in (tmp_path / "log").read_text().splitlines() if request_id in line]

        until(lambda: any("uvicorn.access" in line for line in lines_of(chosen)))
        (access,) = lines_of("a-good-one")
        assert '"GET /healthz HTTP/1.1" 200' in access
        for request_id, path in (("in-a-thread", "GET /v1/jobs"), ("in-a-stream", "/events"), (chosen, job_id)):
            lines = lines_of(request_id)
            assert any("uvicorn.access" in line and path in line and "500" in line for line in lines), lines
            assert any(" ERROR thalweg.api.problems " in line and path in line for line in lines), lines
        log = (tmp_path / "log").read_text()
        traceback = log[log.index("GET /v1/jobs failed, request in-a-thread") :]
        assert traceback.splitlines()[1].startswith("Traceback")
        assert "ValueError: 'odd' is not a valid Status" in traceback
