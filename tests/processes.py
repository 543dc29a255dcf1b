"""Our own commands as processes of their own: the server, and anything else that is typed."""

import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import httpx

from api.embedded import Database


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running ``jikao serve``."""

    url: str
    database: Database
    process: "subprocess.Popen[str]"

    def client(self) -> httpx.Client:
        """A client of the server, with a cookie jar of its own."""
        return httpx.Client(base_url=self.url, timeout=30)

    def log_in(self, name: str, password: str) -> httpx.Client:
        """A client that is signed in; every request of it carries the token that forms carry."""
        client = self.client()
        client.get("/login").raise_for_status()
        client.headers["x-csrftoken"] = client.cookies["csrftoken"]
        answer = client.post("/login", data={"username": name, "password": password})
        assert answer.status_code == 303, answer.text
        return client


@contextmanager
def serving(database: Database, **settings: str) -> Iterator[Server]:
    """Run ``jikao serve`` on a database and a free port, with more settings if given; stop it in order."""
    given = {"DATABASE_URL": database.url, "JIKAO_SECRET": secrets.token_hex(32), **settings}
    process = jikao("serve", **given)
    try:
        yield Server(url=listening(process), database=database, process=process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            _, complaints = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, complaints) == (0, "")


def jikao(*arguments: str, **settings: str) -> "subprocess.Popen[str]":
    """Start a command of ours, in English and with these settings only, on a free port."""
    return start(arguments, settings)


def start(
    arguments: Iterable[str], settings: Mapping[str, str], complaints: IO[str] | int = subprocess.PIPE
) -> "subprocess.Popen[str]":
    """The same, in a process group of its own, so that it can be killed with all its workers."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JIKAO_", "DATABASE_URL"))}
    environment |= {"JIKAO_LISTEN": "127.0.0.1:0", "JIKAO_LANGUAGE": "en", **settings}
    return subprocess.Popen(
        [sys.executable, "-m", "api.command", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=complaints,
        text=True,
        process_group=0,
    )


def listening(process: "subprocess.Popen[str]") -> str:
    """The address that a starting ``jikao serve`` tells."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://[\w.:\[\]-]+", line):
            return found.group()
    _, complaints = process.communicate(timeout=30)
    raise AssertionError(f"jikao serve ended with {process.returncode} before it told an address: {complaints}")
