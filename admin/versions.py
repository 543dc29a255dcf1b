"""Versions on pages (规则版本): what was published by whom, every rule of it in words, what it changed."""

from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from admin.guard import person_of, signed_in
from admin.office import Office
from admin.page import language_of, refuse_page, show
from admin.readers import reads_all
from engine.rulebook import Version as Published
from ledger.current import get_current
from ledger.explanation import view_rule
from ledger.reading import reading
from rules.comparison import compare
from rules.tables import Version
from rules.tree import dump_yaml, load_json
from rules.writing import write_rulebook

Web = Request[Any, Any, Any]

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
        columns = [column for column in Version._meta.columns if column._meta.name != "document"]
        rows = await Version.select(*columns).order_by(Version.number, ascending=False)
        return await show(request, office, "versions.html", versions=rows)

    @get("/audit/versions/{number:int}", guards=[signed_in()], include_in_schema=False)
    async def version_page(request: Web, number: FromPath[int]) -> Response[str]:
        version, row = await find(number)
        language = language_of(request)
        before = next((each for each in get_current().bureau.versions if each.number == number - 1), None)
        old = None if before is None else write_rulebook(before.rulebook)
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
            changes=() if before is None else compare(old, write_rulebook(version.rulebook)),
            before=None if before is None else before.number,
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
