"""Batches over the interface: each event by itself, all or none, streamed by lines in bounded memory."""

import json
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import anyio
import httpx
import psutil
import pytest

from admin.keys import make_key
from admin.tables import Reception, Source
from api.bodies import EVENT_SIZE
from ledger.recording import GROUP
from tests.api.conftest import Client, event, with_key
from tests.processes import Server
from tests.small_office import event as small_event
from tests.small_office import fill

NDJSON = {"content-type": "application/x-ndjson"}
STREAMED = int(os.environ.get("STREAMED_MEGABYTES", "40")) << 20
"""Bytes that the stream of the memory test has: 200 MB and more where somebody asks for it."""


def lines(*given: Any) -> bytes:
    """Events, one a line; bytes are a line as it is."""
    return b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in given)


def enveloped(given: dict[str, Any]) -> dict[str, Any]:
    return {"specversion": "1.0", **given, "source": "urn:office"}


async def length(client: Client) -> int:
    return int((await client.get("/api/ledger/seal")).json()["length"])


async def post(client: Client, query: str = "", **given: Any) -> Any:
    answer = await client.post(f"/api/events/batch{query}", **given)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.anyio
async def test_a_batch_takes_each_by_itself(client: Client) -> None:
    await client.post("/api/events", json=event())
    listed = [event(), event(id="E2"), event(id="E3", subject="U9"), 3, event(id="E4")]
    told = await post(client, json=listed)
    assert (told["accepted"], told["repeated"], told["refused_count"]) == (2, 1, 2)
    assert [(each["index"], each["id"], each["problem"]["status"]) for each in told["refused"]] == [
        (2, "E3", 422), (3, None, 422),
    ]  # fmt: skip
    assert told["refused"][0]["problem"]["errors"][0]["pointer"] == "/subject"


@pytest.mark.anyio
async def test_lines_are_recorded_as_they_come(client: Client) -> None:
    sent = lines(*(event(id=f"E{number}") for number in range(450)), b"{", b"")
    told = await post(client, content=sent, headers=NDJSON)
    assert (told["accepted"], [each["index"] for each in told["refused"]]) == (450, [450])
    entries = (await client.get("/api/entries?subject=U1&limit=500")).json()["items"]
    assert [each["event"] for each in reversed(entries)] == [f"E{number}" for number in range(450)]


@pytest.mark.anyio
async def test_a_broken_line_refuses_only_itself_and_is_named_by_its_place(client: Client) -> None:
    long = json.dumps(event(id="E5", basis="x" * EVENT_SIZE)).encode()
    sent = lines(event(), b"", b"{broken", event(id="E2"), b"\xff\xfe", long, b"   ", event(id="E3", subject="U9"), [])
    told = await post(client, content=sent + b"\r\n" + lines(event(id="E4")), headers=NDJSON)
    assert told["accepted"] == 3
    assert [(each["index"], each["id"], each["problem"]["status"]) for each in told["refused"]] == [
        (2, None, 400), (4, None, 400), (5, None, 400), (7, "E3", 422), (8, None, 422),
    ]  # fmt: skip
    assert [(await client.get(f"/api/events/office/E{number}")).status_code for number in (1, 2, 3, 4)] == [
        200, 200, 404, 200,
    ]  # fmt: skip


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["application/json", "application/cloudevents-batch+json", "application/x-ndjson"])
async def test_an_atomic_batch_is_all_or_none(client: Client, kind: str) -> None:
    await Source(code="office", uri="urn:office").save()

    def sent(*given: dict[str, Any]) -> dict[str, Any]:
        made = [enveloped(each) if "cloud" in kind else each for each in given]
        return {"content": lines(*made) if "nd" in kind else json.dumps(made), "headers": {"content-type": kind}}

    before = await length(client)
    wrong = sent(event(), event(id="E2"), event(id="E3", data={"level": "town"}), event(id="E4"))
    answer = await client.post("/api/events/batch?atomic=true", **wrong)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/2/data/level")
    assert await length(client) == before
    (noted,) = await Reception.select()
    assert (noted["source"], noted["event"], noted["outcome"]) == ("office", "E3", "refused")
    told = await post(client, "?atomic=true", **sent(event(), event(id="E2"), event()))
    assert told == {"accepted": 2, "repeated": 1, "refused_count": 0, "refused": []}
    assert [each["outcome"] for each in await Reception.select().order_by(Reception.id)] == ["refused", "repeated"]


@pytest.mark.anyio
async def test_an_atomic_stream_names_a_line_that_cannot_be_read(client: Client) -> None:
    before = await length(client)
    answer = await client.post("/api/events/batch?atomic=true", content=lines(event(), b"", b"{broken"), headers=NDJSON)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/2")
    assert await length(client) == before


@pytest.mark.anyio
async def test_repetitions_and_refusals_of_a_chunk_are_noted_in_one_statement(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [event(id=f"E{number}") for number in range(30)]
    asked: list[str] = []
    raw = Reception.raw

    def counted(sql: str, *given: Any) -> Any:
        asked.append(sql)
        return raw(sql, *given)

    monkeypatch.setattr(Reception, "raw", counted)
    bound = {**await with_key(client, "events:write", source="office"), **NDJSON}
    await post(client, content=lines(*listed), headers=bound)
    assert asked == []  # what is new needs no note
    await post(client, content=lines(*listed, event(id="X", subject="U9"), event(source="other"), b"{"), headers=bound)
    assert len(asked) == 1
    noted = await Reception.select().order_by(Reception.id)
    assert [(each["outcome"], each["event"]) for each in noted[:2]] == [("repeated", "E0"), ("repeated", "E1")]
    assert [(each["outcome"], each["event"], each["status"]) for each in noted[30:]] == [
        ("refused", "X", 422), ("refused", "E1", 403), ("refused", "", 400),
    ]  # fmt: skip
    assert {each["source"] for each in noted} == {"office"}  # a bound key speaks for its source only
    assert len(noted) == 33


# a real server


@pytest.fixture
def key(server: Server) -> str:
    """The small office behind a real server, and a key for it."""

    async def prepare() -> str:
        await fill()
        return await make_key("batch", ["events:write", "events:read", "entries:read"], source="office")

    return anyio.run(prepare)


def faults(count: int, padding: int = 0) -> Iterator[bytes]:
    """Lines of events; spaces make them as long as is wanted."""
    for number in range(count):
        line = json.dumps(small_event(100 + number, "fault", "B1", "2026-03-10", count="1")).encode()
        yield line + b" " * padding + b"\n"


def test_memory_does_not_grow_with_a_stream(server: Server, key: str) -> None:
    size = 200_000
    headers = {"authorization": f"Bearer {key}", **NDJSON}
    process = psutil.Process(server.process.pid)
    peak = 0

    def watched() -> Iterator[bytes]:
        nonlocal peak
        for line in faults(STREAMED // size, size):
            peak = max(peak, process.memory_info().rss)
            yield line

    with server.client() as client:
        client.post("/api/events/batch", content=b"".join(faults(60, size)), headers=headers).raise_for_status()
        before = process.memory_info().rss
        answer = client.post("/api/events/batch", content=watched(), headers=headers, timeout=600)
    assert answer.json()["accepted"] + answer.json()["repeated"] == STREAMED // size
    assert answer.json()["refused_count"] == 0
    assert peak - before < 20 << 20, f"{(peak - before) >> 20} MB more"


def test_a_cut_connection_leaves_whole_events_only(server: Server, key: str) -> None:
    url = httpx.URL(server.url)
    sent = list(faults(GROUP + 50))
    with socket.create_connection((url.host, url.port or 80)) as connection:
        connection.sendall(
            f"POST /api/events/batch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n"
            "content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        )
        body = b"".join(sent) + b'{"id": "half", "type": "fau'
        connection.sendall(f"{len(body):x}\r\n".encode() + body + b"\r\n")
        with server.client() as client:
            client.headers["authorization"] = f"Bearer {key}"
            deadline = time.monotonic() + 30
            while client.get(f"/api/events/office/E{99 + GROUP}").status_code != 200:
                assert time.monotonic() < deadline
                time.sleep(0.05)
    with server.client() as client:
        client.headers["authorization"] = f"Bearer {key}"
        time.sleep(0.5)
        kept = 0
        for number in range(GROUP + 50):
            found = client.get(f"/api/events/office/E{100 + number}")
            if found.status_code == 200:
                assert [each["kind"] for each in found.json()["entries"]] == ["direct"], number
                kept += 1
        assert GROUP <= kept <= GROUP + 50
        assert client.get("/api/events/office/half").status_code == 404
        again = client.post("/api/events/batch", content=b"".join(sent), headers=NDJSON).json()
        assert (again["accepted"], again["repeated"], again["refused_count"]) == (GROUP + 50 - kept, kept, 0)
