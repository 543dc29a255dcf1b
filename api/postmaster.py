"""Keeps one PostgreSQL server running for as long as any process uses its folder.

Run as a script of its own (``python postmaster.py BIN FOLDER SOCKETS OPTION…``) by :mod:`api.embedded`,
outside the terminal's process group. It is the server's parent; the using processes only hold
a shared lock on ``users.lock``, which the kernel lets go of however they end, ``kill -9``
included. When nobody holds it any more, the server is stopped and this process ends. When this process
is killed, the kernel stops the server; when the server is killed, it is started again.

Standard library only, so that it starts in milliseconds and outlives an upgrade of our packages.
It says ``ready`` or one line of error on its standard output, once.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

POLL = 0.05
START = 300.0
"""Seconds; after a crash it first reads again what it had not yet put in its place."""
STOP = 20.0
RESTARTS = 5
PAUSE = 5.0


def account(data: Path) -> int | None:
    """The user to run the server as: nobody but us, unless we are root, which PostgreSQL refuses."""
    return None if os.geteuid() else data.stat().st_uid


def orphan(data: Path) -> int | None:
    """The server left over from a parent that was killed, if one still runs on the data."""
    try:
        found = int((data / "postmaster.pid").read_text().splitlines()[0])
        if Path("/proc/self/cmdline").exists():
            command = Path(f"/proc/{found}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        else:
            asked = ["ps", "-o", "command=", "-p", str(found)]
            command = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    except (OSError, ValueError, IndexError):
        return None
    return found if str(data) in command else None


def clear_left_over(data: Path) -> None:
    """Stop an orphan and remove a stale ``postmaster.pid``, whose number may since be another's."""
    found = orphan(data)
    if found is not None:
        deadline = time.monotonic() + STOP
        with contextlib.suppress(ProcessLookupError):
            os.kill(found, signal.SIGINT)
        while orphan(data) is not None and time.monotonic() < deadline:
            time.sleep(POLL)
    (data / "postmaster.pid").unlink(missing_ok=True)


def follow_parent() -> None:
    """In the server before it starts: stop (fast, clean) when the parent ends. Linux only."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, int(signal.SIGINT), 0, 0, 0)


def start(binaries: Path, data: Path, log: Path, options: list[str]) -> "subprocess.Popen[bytes]":
    user = account(data)
    with log.open("ab") as written:
        return subprocess.Popen(
            [binaries / "postgres", "-D", data, *options],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            user=user,
            group=data.stat().st_gid if user is not None else None,
            extra_groups=[] if user is not None else None,
            preexec_fn=follow_parent,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
        )


def is_ready(data: Path) -> bool:
    try:
        return (data / "postmaster.pid").read_text().splitlines()[7].strip() == "ready"
    except (OSError, IndexError):
        return False


def wait_ready(server: "subprocess.Popen[bytes]", data: Path) -> bool:
    deadline = time.monotonic() + START
    while server.poll() is None and time.monotonic() < deadline:
        if is_ready(data):
            return True
        time.sleep(0.01)
    return False


def last_words(log: Path, since: int) -> str:
    """The server's last complaint after so many bytes of its log, for the one line of error."""
    said = log.read_bytes()[since:].decode(errors="replace").splitlines()
    lines = [line for line in said if "FATAL" in line or "ERROR" in line]
    return lines[-1].split("FATAL:")[-1].strip() if lines else str(log)


def stop(server: "subprocess.Popen[bytes]") -> None:
    for wanted in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is not None:
            return
        server.send_signal(wanted)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(STOP)


def leave_sockets(folder: Path) -> None:
    """Remove the folder of the socket where it lies elsewhere, for its path was too long."""
    with contextlib.suppress(OSError):
        used = Path((folder / "sockets.path").read_text())
        if used.parent != folder:
            used.rmdir()


def nobody_uses(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def say(line: str) -> None:
    """One line to the process that waits for us; it may be gone already."""
    with contextlib.suppress(OSError):
        os.write(1, line.encode() + b"\n")
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)


def keep(binaries: Path, folder: Path, options: list[str]) -> int:
    """Start the server, say so, and keep it until nobody uses the folder."""
    own = os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(own, fcntl.LOCK_EX)
    os.ftruncate(own, 0)
    os.write(own, str(os.getpid()).encode())
    users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    asked = False

    def ask(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    signal.signal(signal.SIGTERM, ask)
    data, log = folder / "data", folder / "log"
    if log.exists() and log.stat().st_size > 10_000_000:
        log.replace(folder / "log.1")
    server, since = None, 0
    for _ in range(RESTARTS):
        # Its children end a moment after a killed server, and hold the shared memory until then.
        clear_left_over(data)
        since = log.stat().st_size if log.exists() else 0
        server = start(binaries, data, log, options)
        if wait_ready(server, data):
            break
        stop(server)
        server = None
        if asked or "still in use" not in last_words(log, since):
            break
        time.sleep(0.5)
    if server is None:
        leave_sockets(folder)
        say(last_words(log, since))
        return 1
    say("ready")
    failed = 0
    while not asked and not nobody_uses(users):
        if server.poll() is not None:
            # However often it is killed. What keeps it from starting (shared memory still in use, a full disk) may
            # pass; meanwhile it is tried less and less often.
            time.sleep(min(failed * POLL * 2, PAUSE))
            clear_left_over(data)
            server = start(binaries, data, log, options)
            failed = 0 if wait_ready(server, data) else failed + 1
        time.sleep(POLL)
    stop(server)
    leave_sockets(folder)
    return 0


if __name__ == "__main__":
    sys.exit(keep(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
