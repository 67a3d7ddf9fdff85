"""A ClickHouse server for tests: `clickhouse` where it is installed, else chdb behind HTTP."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import clickhouse_connect

from analytics.warehouse import EmbeddedWarehouse

BINARY: Final = "clickhouse"
ITS_OWN: Final = {
    "query", "query_id", "session_id", "database", "default_format", "client_protocol_version",
    "wait_end_of_query", "compress", "decompress", "buffer_size", "role",
}  # fmt: skip
"""Parameters of an address that are neither parameters of the statement nor settings."""


@contextmanager
def installed_server(folder: Path) -> Iterator[str]:
    """Run the server that is installed, and yield its address; it must be on the path."""
    port = _free_port()
    binary = shutil.which(BINARY)
    assert binary is not None
    options = [f"--path={folder}/", f"--http_port={port}", f"--tcp_port={_free_port()}"]
    with subprocess.Popen([binary, "server", "--", *options], cwd=folder) as server:
        address = f"http://default@127.0.0.1:{port}/default"
        try:
            clickhouse_connect.get_client(dsn=address, query_retries=60).close()
            yield address
        finally:
            server.terminate()


@contextmanager
def chdb_behind_http(warehouse: EmbeddedWarehouse) -> Iterator[str]:
    """Serve the engine of an embedded warehouse over ClickHouse's HTTP interface.

    What is tried is the client: its parameters, formats, settings and errors over the wire. The
    engine is the one that a server runs.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.warehouse = warehouse  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://default@127.0.0.1:{server.server_port}/default"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        statement = f"{asked['query']}\n{body}" if "query" in asked else body
        session = self.server.warehouse._session  # type: ignore[attr-defined]  # noqa: SLF001
        try:
            for name, value in asked.items():
                if name not in ITS_OWN and not name.startswith("param_"):
                    session.query(f"set {name} = '{value}'")
            answer = session.query(
                statement,
                asked.get("default_format", "TabSeparated"),
                params={
                    name.removeprefix("param_"): value
                    for name, value in asked.items()
                    if name.startswith("param_")
                },
            )
        except RuntimeError as fault:
            self._answer(500, str(fault).encode())
        else:
            self._answer(200, answer.bytes() or b"")

    def do_GET(self) -> None:
        self.do_POST()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - of the base class
        """Say nothing: what fails is in the answer."""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
