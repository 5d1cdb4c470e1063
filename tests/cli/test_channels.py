"""Channels and deliveries from the command line."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from stockwire.log.deliveries import DOTS
from tests.cli.program import Ended, stockwire


class Hook:
    """A receiver that answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.came: list[str] = []
        hook = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.came.append(self.headers["webhook-id"])
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(hook.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Answer)
        self.address = f"http://127.0.0.1:{self.server.server_port}/hook/SECRET"


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def ran(*arguments: str, said: bytes | None = None) -> Ended:
        private = {"STOCKWIRE_PRIVATE_RECEIVERS": "127.0.0.1"}
        return stockwire(*arguments, "--data-dir", str(tmp_path), env=private, said=said)

    return ran


def test_a_webhook_is_added_listed_and_removed_without_showing_its_secret_again(run: Any) -> None:
    assert run("channels", "list").out.startswith("No channels yet")
    secret = run("channels", "add", "office", "https://example.com/hook/SECRET").out.strip()
    assert secret.startswith("whsec_")
    listed = run("channels", "list")
    assert "office" in listed.out and f"https://example.com/{DOTS}" in listed.out
    as_json = run("channels", "list", "--json").out
    assert json.loads(as_json)["channels"][0]["person"] == "owner"
    assert "SECRET" not in listed.out + as_json and secret not in listed.out + as_json
    assert run("channels", "remove", "office").out == "Removed office.\n"
    assert run("channels", "remove", "office").code == 2


def test_an_address_is_taken_from_stdin_so_that_no_history_keeps_it(run: Any) -> None:
    added = run("channels", "add", "team", "-", said=b"slack://TokenA/TokenB/TokenC\n")
    assert added.code == 0 and added.out == "" and "TokenA" not in added.err
    assert json.loads(run("channels", "list", "--json").out)["channels"][0]["service"] == "slack"


def test_an_address_that_nothing_would_be_sent_to_is_refused(run: Any) -> None:
    refused = run("channels", "add", "office", "https://192.168.1.1/")
    assert refused.code == 2 and "private_receivers" in refused.err
    assert run("channels", "add", "office", "gnome://").code == 2
    assert run("channels", "add", "office", "https://example.com/", "--language", "fr").code == 2


def test_a_test_is_sent_from_here_when_no_server_runs(run: Any, hook: Hook) -> None:
    run("channels", "add", "office", hook.address)
    assert run("channels", "test", "office").out == "Sent to office.\n"
    hook.status = 500
    failed = run("channels", "test", "office")
    assert failed.code == 1 and "answered 500" in failed.err
    assert len(set(hook.came)) == 2


def test_dead_letters_are_listed_and_tried_anew(run: Any, hook: Hook) -> None:
    run("channels", "add", "office", hook.address)
    hook.status = 500
    run("channels", "test", "office")
    (dead,) = json.loads(run("deliveries", "list", "--state", "dead", "--json").out)["deliveries"]
    assert dead["error"] == "answered 500" and dead["channel_name"] == "office"
    assert "answered 500" in run("deliveries", "list").out
    assert run("deliveries", "retry", str(dead["delivery_id"])).out == "1 to be tried anew.\n"
    assert run("deliveries", "retry", str(dead["delivery_id"])).code == 2
    assert run("deliveries", "retry", "--all").out == "There are no dead letters.\n"
    assert run("deliveries", "retry").code == 2 and run("deliveries", "list", "--state", "lost").code == 2


def test_two_channels_of_one_name_are_told_apart_by_their_ids(run: Any) -> None:
    for _ in range(2):
        run("channels", "add", "office", "https://example.com/")
    assert run("channels", "remove", "office").code == 2
    first, second = json.loads(run("channels", "list", "--json").out)["channels"]
    assert run("channels", "remove", first["channel_id"]).code == 0
    assert [each["channel_id"] for each in json.loads(run("channels", "list", "--json").out)["channels"]] == [
        second["channel_id"]
    ]
