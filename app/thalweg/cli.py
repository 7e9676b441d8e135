"""The `thalweg` command.

Commands import what they need when they run: torch alone takes seconds.
"""

import json
import logging
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from thalweg.errors import ThalwegError
from thalweg.settings import load

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

_SHUTDOWN_SECONDS = 5

DataDir = Annotated[Path | None, typer.Option(help="Directory of the database and caches. (default: data)")]


def _print_version(wanted: bool) -> None:  # noqa: FBT001 a command-line flag
    if wanted:
        sys.stdout.write(f"thalweg {version('thalweg')}\n")
        raise typer.Exit


@app.callback()
def _thalweg(
    version: Annotated[  # noqa: FBT002 a command-line flag, handled by its callback
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Gradient descent as a service."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. (default: 127.0.0.1)")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. (default: 8000)")] = None,
    data_dir: DataDir = None,
    workers: Annotated[int | None, typer.Option(help="Number of worker processes. (default: one per core)")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Dask scheduler to use instead of local workers.")] = None,
    no_auth: Annotated[  # noqa: FBT002 a command-line flag
        bool, typer.Option("--no-auth", help="Listen beyond loopback without API keys.")
    ] = False,
) -> None:
    """Serve the page and the API, and run jobs."""
    settings = load(
        host=host,
        port=port,
        data_dir=data_dir,
        workers=workers,
        scheduler=scheduler,
        no_auth=no_auth or None,
    ).check_exposure()
    # uvicorn raises the signal again after a graceful stop, before temporary directories are removed
    signal.signal(signal.SIGTERM, _exit)
    from thalweg.listening import Server, bound, refusal
    from thalweg.workers.processes import start_fork_server

    sockets = bound(settings.host, settings.port)
    if settings.scheduler is None:
        start_fork_server()  # imports the workers' modules while this process imports the service
    _log_to_stderr()
    import uvicorn

    from thalweg.api.connections import options
    from thalweg.main import create_app, prepared

    with prepared(settings):
        pass  # fail here: uvicorn would bury the reason in a traceback
    configuration = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,  # use the root logger
        **options(settings),
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,  # event streams stay open as long as their jobs run
    )
    try:
        Server(configuration).run(sockets=sockets)
    except OSError as error:  # another process bound to the same port listened first
        raise refusal(error, settings.host, settings.port) from error


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Create the database or upgrade it to this version; `serve` does this, too."""
    settings = load(data_dir=data_dir)
    from thalweg.main import prepared

    with prepared(settings) as database:
        Console(stderr=True).print(f"{database.path} is up to date", highlight=False)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document of the service."""
    from thalweg.main import create_app

    sys.stdout.write(json.dumps(create_app(load()).openapi(), indent=2, ensure_ascii=False) + "\n")


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)  # as a shell reports a command ended by a signal


def _log_to_stderr() -> None:
    from thalweg.api.request_id import RequestIdFilter

    handler = logging.StreamHandler()
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)


def main() -> None:
    """Run the command. Errors that the user can fix are printed without a traceback."""
    try:
        app()
    except ThalwegError as error:
        Console(stderr=True).print(f"[bold red]thalweg:[/] {error}", highlight=False, soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
