"""A real nginx before the server, set up as badly as proxies in the wild are: no Upgrade, buffered answers, short patience."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

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
    proxy_read_timeout 75s;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
"""
# The same, and what is quiet for 2 s is ended.
SHORT_STREAMS = STREAMS_ONLY.replace("75s", "2s")
# What docs/deploy recommends.
FRIENDLY = """
    proxy_buffering off;
    proxy_read_timeout 75s;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
"""
# One question to the server for all who ask the same by the same key (docs/deploy).
COLLAPSING = """
    proxy_buffering on;
    proxy_read_timeout 75s;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_cache answers;
    proxy_cache_key "$http_authorization $http_cookie $request_uri";
    proxy_cache_valid 200 10s;
    proxy_cache_lock on;
    proxy_cache_lock_age 70s;
    proxy_cache_lock_timeout 70s;
    proxy_ignore_headers Cache-Control X-Accel-Buffering;
    add_header X-Cache $upstream_cache_status;
"""
# Sockets pass as well, and what is quiet for 2 s is ended: before a heartbeat, which an idle cut after the usual 60 s is not.
SHORT_SOCKETS = FRIENDLY.replace("75s", "2s")


def deaf(hole: int) -> str:
    """Sockets lead to a port on which somebody listens and never answers; all else passes."""
    return FRIENDLY + f"    if ($http_upgrade) {{ proxy_pass http://127.0.0.1:{hole}; }}\n"


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
  proxy_cache_path {place}/cache keys_zone=answers:1m;
  types {{ text/html html; text/javascript js; }}
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port};
    location = /manners {{ return 200 "{generation}"; }}
    location = /status {{ stub_status; }}
    location /files/ {{ alias {files}/; }}
    location / {{
      proxy_pass http://127.0.0.1:{target};
      proxy_set_header Host $http_host;
      {manners}
    }}
  }}
}}
"""


class Nginx:
    """An nginx before the port `target`, which listens on `url`."""

    def __init__(self, place: Path, target: int, *, port: int | None = None, files: Path | None = None) -> None:
        self._place = place
        self._target = target
        self._port = port or free_port()
        self._files = files or place
        self._generation = 0
        self.url = f"http://127.0.0.1:{self._port}"

    def run(self, manners: str) -> subprocess.Popen[bytes]:
        """Start it, and wait until it listens."""
        self._place.mkdir(parents=True)
        config = self._configure(manners)
        log = str(self._place / "error.log")
        user = ["-g", "user root;"] if os.geteuid() == 0 else []
        self._process = subprocess.Popen(
            [PROGRAM, "-p", str(self._place), "-e", log, "-c", str(config), *user],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._until_configured()
        return self._process

    def become(self, manners: str) -> None:
        """Treat new connections so from now on; those that there are stay as they were."""
        self._configure(manners)
        self._process.send_signal(signal.SIGHUP)
        self._until_configured()

    def _configure(self, manners: str) -> Path:
        self._generation += 1
        config = self._place / "nginx.conf"
        config.write_text(
            CONFIG.format(
                place=self._place, port=self._port, target=self._target, files=self._files, manners=manners,
                generation=self._generation,
            )
        )  # fmt: skip
        return config

    def _until_configured(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self._place / "error.log").read_text()
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/manners").text == str(self._generation):
                    return
            time.sleep(0.02)
        raise AssertionError("nginx does not listen")


@contextmanager
def nginx(
    place: Path, target: int, manners: str, *, port: int | None = None, files: Path | None = None
) -> Iterator[Nginx]:
    """An nginx for as long as the block runs. What lies in `files` is served under /files/."""
    proxy = Nginx(place, target, port=port, files=files)
    process = proxy.run(manners)
    try:
        yield proxy
    finally:
        process.terminate()
        process.wait(PATIENCE)
