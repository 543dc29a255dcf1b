"""The interface on a real database: the whole application, asked as a client asks it."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx
import pytest

from admin.keys import SCOPES, make_key
from api.application import create
from api.embedded import Database
from api.settings import Settings
from engine.scalar import Raw
from ledger import acts
from rules.document import read_rulebook
from rules.roster import read_periods, read_relations, read_subjects
from rules.tree import load_yaml

RULEBOOK = """
rulebook: county
title: 县局
effective: 2026-01-01T00:00:00+08:00
joint: {depth: 2}
event_types:
  notice:
    title: 通报批评
    fields:
      level: {title: 通报级别, type: choice, choices: {province: 省局, city: 市局}, required: true}
      weight: {title: 权重, type: decimal}
  accident:
    title: 重大事故
    fields: {}
indicators: {}
limits:
  joint-quarter: {title: 连带季度封顶, sign: deduction, per: quarter, max: 0.40}
rules:
  - {rule: K01, title: 省局通报, on: notice, when: level == "province", points: -1.00}
  - {rule: K02, title: 市局通报, basis: 第十二条, on: notice, when: level == "city", points: -0.50}
  - {rule: K03, title: 权重, on: notice, points: {field: weight, share: -1}}
  - {rule: K05, title: 牵头连带, joint: lead_dept, of: [K01, K02], share: 0.30, limits: [joint-quarter]}
  - {rule: K40, title: 一票否决, veto: total, on: accident, to: 60}
  - {rule: K90, title: 停用, on: notice, points: -9, enabled: false}
"""
SUBJECTS: list[Raw] = [
    {"code": "U1", "name": "城关分局", "kind": "unit", "group": "county"},
    {"code": "U2", "name": "东山分局", "kind": "unit", "group": "county"},
    {"code": "D1", "name": "征管科", "kind": "unit", "group": "dept"},
]
RELATIONS: list[Raw] = [{"subject": "U1", "relation": "lead_dept", "answers": "D1"}]
PERIODS: list[Raw] = [
    {"code": f"2026-0{month}", "kind": "month", "from": f"2026-0{month}-01", "to": f"2026-0{month + 1}-01"}
    for month in (2, 3, 4)
]

Client = httpx.AsyncClient


@pytest.fixture
async def bare(database: Database, anyio_backend: str) -> AsyncIterator[Client]:
    """The application on an empty ledger; the client has a key with every scope."""
    settings = Settings(database=database, secret="s" * 32, approvals=0)
    application = create(settings, pages=False)
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with application.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://jikao") as client:
        client.headers["authorization"] = f"Bearer {await make_key('all', SCOPES)}"
        yield client


@pytest.fixture
async def client(bare: Client) -> Client:
    """The application with a rulebook, three units and three months."""
    await acts.organise(date(2026, 1, 1), read_subjects(SUBJECTS), read_relations(RELATIONS), reason="", actor="test")
    await acts.declare(read_periods(PERIODS), actor="test")
    await acts.publish_rulebook(read_rulebook(load_yaml(RULEBOOK)[0].raw), actor="test")
    return bare


def event(**given: Any) -> dict[str, Any]:
    """A report that fits, with some things otherwise."""
    report = {
        "id": "E1",
        "source": "office",
        "type": "notice",
        "subject": "U1",
        "time": "2026-03-05T10:00:00+08:00",
        "data": {"level": "city"},
    }
    return {key: value for key, value in {**report, **given}.items() if value is not None}


async def with_key(client: Client, *scopes: str, source: str | None = None) -> dict[str, str]:
    """The headers of a fresh key with these scopes."""
    name = f"k{abs(hash((scopes, source, id(object()))))}"
    return {"authorization": f"Bearer {await make_key(name, scopes, source=source)}"}
