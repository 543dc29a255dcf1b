"""Reconciliation (来源对账): by day and source what was received, and whether the source's statement agrees."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, QueryParameter

from admin.guard import signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.receptions import (
    Counts,
    Place,
    ReceptionFilter,
    ReceptionView,
    SourceDay,
    count,
    count_days,
    list_receptions,
    possible,
)
from admin.statements import (
    Reconciliation,
    Standing,
    StatementFilter,
    list_statements,
    never_recorded,
    read_statement,
    standing_statements,
    stated_days,
)
from admin.tables import Outcome, Role, Source
from engine import scalar
from engine.scalar import Unfit
from ledger.reading import reading

Web = Request[Any, Any, Any]
Section = Literal["missing", "refused", "repeated", "unexpected"]

DAYS = 31
"""Days that are shown where none are asked for."""
ROWS = 100
"""Rows of a page; of a section of a day's page where it stands alone."""
FEW = 20
"""Rows of a section of a day's page that has further ones."""

_READERS = (Role.office, Role.approver, Role.auditor, Role.integrator)

From = Annotated[str, QueryParameter(name="from")]
To = Annotated[str, QueryParameter(name="to")]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A day of a source in the table."""

    key: SourceDay
    counts: Counts
    standing: Standing | None


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """An id of a statement, whether such an event is recorded by now, and why it had been refused."""

    id: str
    recorded: bool
    status: int | None = None
    problem: str = ""


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """Receptions of a day, as far as they are shown, and before what the others lie."""

    items: tuple[ReceptionView, ...] = ()
    next: str | None = None


def reconciliation_routes(office: Office) -> Router:
    """``/receptions`` and a day's page below it."""

    def today() -> date:
        return datetime.now(office.timezone).date()

    @get("/receptions", guards=[signed_in(*_READERS)], include_in_schema=False)
    async def table_page(
        request: Web,
        source: FromQuery[str] = "",
        start: From = "",
        end: To = "",
        after: FromQuery[str] = "",
    ) -> Response[str]:
        """From ``from`` to ``to``, both days included, as people count."""
        first, last = read_day(start), read_day(end)
        wrong = bool((start and first is None) or (end and last is None))
        last = last or today()
        first = first or last - timedelta(days=DAYS - 1)
        source = source.strip()
        async with reading() as connection:
            stated = await stated_days(connection, first, last + timedelta(days=1), source or None)
            counted, following = await count_days(
                connection,
                first,
                last + timedelta(days=1),
                source=source or None,
                after=read_key(after),
                limit=ROWS,
                further=stated,
            )
            standing = await standing_statements(connection, {key: each.recorded for key, each in counted.items()})
        return await show(
            request,
            office,
            "receptions.html",
            lines=[Line(key=key, counts=each, standing=standing.get(key)) for key, each in counted.items()],
            titles=await titles(),
            asked={"source": source, "from": first, "to": last},
            following=None if following is None else f"{following.day} {following.source}",
            before={"source": source, "from": first - timedelta(days=DAYS), "to": first - timedelta(days=1)},
            wrong=wrong,
        )

    @get("/receptions/{day:str}", guards=[signed_in(*_READERS)], include_in_schema=False)
    async def day_page(
        request: Web,
        day: FromPath[str],
        source: FromQuery[str] = "",
        section: FromQuery[Section | None] = None,
        before: FromQuery[str] = "",
        skip: FromQuery[int] = 0,
    ) -> Response[str]:
        on, english, skip = read_day(day), language_of(request) == "en", max(0, skip)
        if on is None:
            raise NotFoundException
        key = SourceDay(on, source)
        statements, _ = await list_statements(
            StatementFilter(source=source, start=on, end=on + timedelta(days=1)), limit=ROWS
        )
        latest = await read_statement(statements[0].number, english=english) if statements else None
        size = FEW if section is None else ROWS
        async with reading() as connection:
            counts = await count(connection, on, source)
            standing = await standing_statements(connection, {key: counts.recorded})
            missing, unexpected = list[Listed](), list[Listed]()
            if latest is not None and section in (None, "missing"):
                shown = latest.missing[skip : skip + size]
                missing = _listed(shown, latest, await never_recorded(connection, source, shown))
            if latest is not None and section in (None, "unexpected"):
                shown = latest.unexpected[skip : skip + size]
                unexpected = _listed(shown, latest, await never_recorded(connection, source, shown))

        async def log(outcome: Outcome) -> Log:
            if section not in (None, outcome.value):
                return Log()
            wanted = ReceptionFilter(source=source, day=on, outcome=outcome)
            items, following = await list_receptions(
                wanted, english=english, before=Place.read(before) if section else None, limit=size
            )
            return Log(items=tuple(items), next=None if following is None else following.write())

        return await show(
            request,
            office,
            "reception_day.html",
            day=on,
            source=source,
            title=(await titles()).get(source, ""),
            counts=counts,
            standing=standing.get(key),
            latest=latest,
            statements=statements,
            section=section,
            skip=skip,
            size=size,
            missing=missing,
            unexpected=unexpected,
            refused=await log(Outcome.refused),
            repeated=await log(Outcome.repeated),
        )

    return Router("/", route_handlers=[table_page, day_page], exception_handlers=refuse_page(office))


def read_day(text: str) -> date | None:
    """A day as it is written; None where it is none, or one on which nothing can have been received."""
    try:
        day = scalar.day(text.strip())
    except Unfit:
        return None
    return day if possible(day) else None


def read_key(text: str) -> SourceDay | None:
    """A day and a source with a space between; None where it is none."""
    day, _, source = text.partition(" ")
    found = read_day(day)
    return None if found is None else SourceDay(found, source)


async def titles() -> dict[str, str]:
    """What the registered sources are called, by their codes."""
    return {row["code"]: row["title"] for row in await Source.select(Source.code, Source.title)}


def _listed(shown: tuple[str, ...], latest: Reconciliation, never: Collection[str]) -> list[Listed]:
    why = {each.id: each for each in latest.refused_ids}
    return [
        Listed(id=each, recorded=each not in never)
        if each not in why
        else Listed(id=each, recorded=each not in never, status=why[each].status, problem=why[each].problem)
        for each in shown
    ]
