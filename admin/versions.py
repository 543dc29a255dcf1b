"""Versions on pages (规则版本): what was published by whom, every rule of it in words, what it changed."""

from datetime import UTC, datetime
from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from admin.comparing import compare_sides, list_versions
from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.readers import reads_all
from engine.rulebook import Version as Published
from ledger.current import get_current
from ledger.explanation import view_rule
from ledger.reading import reading
from rules.sides import read_side
from rules.tables import Version
from rules.tree import dump_yaml, load_json

Web = Request[Any, Any, Any]

_SHOWN = 30
"""Things that differ from the version before, on a version's page."""

_KINDS = {
    "EventRule": "event",
    "JointRule": "joint",
    "DifferentiationRule": "differentiation",
    "ProgressRule": "progress",
    "VetoRule": "veto",
}


def version_routes(office: Office) -> Router:
    """``/audit/versions``, ``/audit/versions/{number}`` and its document."""

    async def find(number: int) -> tuple[Published, dict[str, Any]]:
        async with reading() as connection:
            act = await connection.fetchval(
                "SELECT number FROM act WHERE kind = 'publication' AND (content::json ->> 'version')::bigint = $1",
                number,
            )
        held = {version.number: version for version in get_current().bureau.versions}
        row = await Version.select().where(Version.number == number).first() if number in held else None
        if row is None:
            raise NotFoundException
        return held[number], {**row, "act": act}

    @get("/audit/versions", guards=[signed_in()], include_in_schema=False)
    async def versions_page(request: Web) -> Response[str]:
        async with reading():
            rows = await list_versions()
            now = datetime.now(UTC)
            states = {row["number"]: _state(row["number"], now) for row in rows}
        return await show(
            request, office, "versions.html", versions=rows, states=states, whole=reads_all(person_of(request))
        )

    @get("/audit/versions/{number:int}", guards=[signed_in()], include_in_schema=False)
    async def version_page(request: Web, number: FromPath[int]) -> Response[str]:
        version, row = await find(number)
        language = language_of(request)
        numbers = [each.number for each in get_current().bureau.versions]
        before = max((each for each in numbers if each < number), default=None)
        compared = None
        if before is not None:
            sides = await read_side(str(before)), await read_side(str(number))
            compared = compare_sides(*sides, language, most=_SHOWN)
        rules = [
            (view_rule(version.rulebook, rule.code, language), _KINDS[type(rule).__name__], rule)
            for rule in version.rulebook.rules
        ]
        return await show(
            request,
            office,
            "version.html",
            version=row,
            rules=rules,
            indicators={code: each.title for code, each in version.rulebook.indicators.items()},
            compared=compared,
            before=before,
            state=_state(number, datetime.now(UTC)),
            whole=reads_all(person_of(request)),
        )

    @get("/audit/versions/{number:int}/rulebook.yaml", guards=[signed_in()], include_in_schema=False)
    async def version_document(number: FromPath[int]) -> Response[bytes]:
        _, row = await find(number)
        headers = {
            "content-disposition": f'attachment; filename="rulebook-{number}.yaml"',
            "x-content-type-options": "nosniff",
        }
        text = dump_yaml(load_json(row["document"]).raw)
        return Response(text.encode(), media_type="application/yaml; charset=utf-8", headers=headers)

    return Router(
        "/",
        route_handlers=[versions_page, version_page, version_document],
        exception_handlers=refuse_page(office),
    )


def _state(number: int, now: datetime) -> str:
    """Whether a version rules what happens now (``ruling``), will (``scheduled``), did (``past``), or never does
    (``replaced``): a later one has the same effective time."""
    versions = get_current().bureau.versions
    own = next((each for each in versions if each.number == number), None)
    if own is None or any(each.effective == own.effective and each.number > number for each in versions):
        return "replaced"
    if own.effective > now:
        return "scheduled"
    later = any(own.effective < each.effective <= now for each in versions)
    return "past" if later else "ruling"
