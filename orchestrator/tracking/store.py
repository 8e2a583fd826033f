"""Opening an MLflow store: where it is, quietly, and failing within seconds with one clear message."""

from __future__ import annotations

import os
import re
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from orchestrator.errors import TrackingError, UsageError

if TYPE_CHECKING:
    from mlflow import MlflowClient

_REACH_TIMEOUT_S = 5.0
_FOREIGN = ("mlflow", "sqlalchemy", "requests", "urllib3", "http")  # packages whose errors speak of the store

# What MLflow reads from the environment, where the user has not said otherwise.
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # its errors reach the user as TrackingError, once
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # with a factor of 1: gives up after some 8 s, not 4 minutes
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


def default_uri(root: Path) -> str:
    """The store that needs no server: SQLite under `root`/mlruns."""
    return f"sqlite:///{root.absolute() / 'mlruns' / 'mlflow.db'}"


def artifact_location(uri: str, root: Path) -> str | None:
    """Where new experiments keep their artifacts; None leaves it to a tracking server."""
    return None if _is_server(uri) else str(root.absolute() / "mlruns" / "artifacts")


def connect(uri: str) -> MlflowClient:
    """A client of the store at `uri`, its schema in place; TrackingError when it cannot be used.

    Takes some seconds the first time: MLflow is slow to import and migrates a new database step by step.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    with explained(uri):
        _check_reachable(uri)
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.search_experiments(max_results=1)  # the first request is what tells a store from something else
        return client


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn what MLflow, SQLAlchemy or the network raise inside into a TrackingError that names the store."""
    try:
        yield
    except (TrackingError, UsageError):
        raise
    except Exception as error:
        if not _is_foreign(error):
            raise
        raise TrackingError(f"MLflow store {_without_password(uri)}: {_first_line(error)}\n{_cure(uri)}") from error


def ui_command(tracking_uri: str | None, root: Path, port: int) -> list[str]:
    """The command line that serves MLflow's web page for a database store on loopback.

    UsageError when the store is a tracking server, which serves its own page.
    """
    uri = tracking_uri or default_uri(root)
    if _is_server(uri):
        raise UsageError(f"the tracking server shows its own page: open {_without_password(uri)} in a browser")
    # `env`: the server takes these from its environment only; its job runner would start seven processes.
    quiet = ["env", "MLFLOW_DISABLE_TELEMETRY=true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false"]
    options = ["--backend-store-uri", uri, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    silent = ["--uvicorn-opts", "--log-level critical"]  # else Ctrl-C, the way to end it, prints a traceback
    return [*quiet, sys.executable, "-m", "mlflow", "server", *options, *silent]


def _is_server(uri: str) -> bool:
    return _scheme(uri) in ("http", "https")


def _scheme(uri: str) -> str:
    try:
        return urlsplit(uri).scheme
    except ValueError:  # not a URL at all
        return ""


def _check_reachable(uri: str) -> None:
    """Fail at once where MLflow itself would retry for a minute."""
    if _is_server(uri):
        _check_server(uri)
    elif _scheme(uri) in ("", "file"):
        raise TrackingError(f"MLflow store {uri}: not a store; MLflow has given up plain directories\n{_cure(uri)}")
    else:
        _check_database(uri)


def _check_server(uri: str) -> None:
    try:
        urllib.request.urlopen(uri, timeout=_REACH_TIMEOUT_S).close()
    except urllib.error.HTTPError:
        pass  # it answers: whether it is MLflow shows at the first request
    except urllib.error.URLError as error:
        if not isinstance(error.reason, ssl.SSLError):  # certificates are MLflow's settings to judge
            raise


def _check_database(uri: str) -> None:
    import sqlalchemy

    url = sqlalchemy.make_url(uri)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).absolute().parent.mkdir(parents=True, exist_ok=True)
    engine = sqlalchemy.create_engine(url)
    try:
        sqlalchemy.inspect(engine).get_table_names()  # reads the file's header too
    finally:
        engine.dispose()


def _is_foreign(error: Exception) -> bool:
    """Whether it comes from the store or the way to it; the rest is our own bug and keeps its traceback."""
    room = type(error).__module__.split(".")[0]
    return isinstance(error, (OSError, ImportError)) or room in _FOREIGN


def _cure(uri: str) -> str:
    if _is_server(uri):
        return "Is a tracking server (`mlflow server`) running there, and is the address right?"
    if _scheme(uri) == "sqlite":
        return "The file must be an MLflow database of this MLflow version in a directory that can be written."
    return "A store is sqlite:////absolute/path/mlflow.db, http://host:port, or a database with its driver."


def _first_line(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    text = str(cause).strip().splitlines()
    return _without_password(text[0]) if text else type(error).__name__


def _without_password(text: str) -> str:
    return re.sub(r"://[^/@\s]*@", "://***@", text)
