"""A real nginx before the server, set up as badly as proxies in the wild are: no Upgrade, buffered answers, short patience."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running import free_port

PATIENCE = 90.0
PROGRAM = shutil.which("nginx") or "/usr/sbin/nginx"

# Buffering holds an answer back until it is complete or the buffers are full; a 5 s patience ends streams that are
# quiet for longer; HTTP/1.0 to the server and no Upgrade header turn a socket into an ordinary request.
HOSTILE = """
    proxy_buffering on;
    proxy_buffers 64 64k;
    proxy_ignore_headers X-Accel-Buffering;
    proxy_read_timeout 5s;
    proxy_http_version 1.0;
"""
# Answers pass as they come, but no Upgrade does.
STREAMS_ONLY = """
    proxy_buffering off;
    proxy_read_timeout 5s;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
"""
# What docs/deploy recommends.
FRIENDLY = """
    proxy_buffering off;
    proxy_read_timeout 75s;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
"""

CONFIG = """
daemon off;
worker_processes 1;
pid {place}/nginx.pid;
error_log {place}/error.log info;
events {{ worker_connections 256; }}
http {{
  access_log {place}/access.log;
  client_body_temp_path {place}/body;
  proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi;
  scgi_temp_path {place}/scgi;
  types {{ text/html html; text/javascript js; }}
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port};
    location /files/ {{ alias {files}/; }}
    location / {{
      proxy_pass http://127.0.0.1:{target};
      proxy_set_header Host $http_host;
      {manners}
    }}
  }}
}}
"""


@contextmanager
def nginx(
    place: Path, target: int, manners: str, *, port: int | None = None, files: Path | None = None
) -> Iterator[str]:
    """The address of an nginx before the port `target`. What lies in `files` is served under /files/."""
    place.mkdir(parents=True)
    port = port or free_port()
    config = place / "nginx.conf"
    config.write_text(CONFIG.format(place=place, port=port, target=target, manners=manners, files=files or place))
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    process = subprocess.Popen(
        [PROGRAM, "-p", str(place), "-e", str(place / "error.log"), "-c", str(config), *user],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _until_listening(process, port, place)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _until_listening(process: subprocess.Popen[bytes], port: int, place: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, (place / "error.log").read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("nginx does not listen")
