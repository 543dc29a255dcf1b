"""A plain HTTP client that costs little: so many connections, each sends its next request when it was answered."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Load(NamedTuple):
    """What a run came to: seconds, and how many answers had which status."""

    seconds: float
    statuses: dict[int, int]


def request(path: str, key: str, body: bytes, kind: str = "application/json") -> bytes:
    """A POST, as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def send_all(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Send every request over so many connections."""
    waiting, statuses = iter(requests), dict[int, int]()
    streams = [await asyncio.open_connection("127.0.0.1", port, limit=1 << 24) for _ in range(connections)]
    begun = time.perf_counter()
    await asyncio.gather(*(_send(reader, writer, waiting, statuses) for reader, writer in streams))
    seconds = time.perf_counter() - begun
    for _, writer in streams:
        writer.close()
    return Load(seconds, statuses)


async def _send(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: Iterator[bytes], statuses: dict[int, int]
) -> None:
    for each in waiting:
        writer.write(each)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        statuses[status] = statuses.get(status, 0) + 1
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
