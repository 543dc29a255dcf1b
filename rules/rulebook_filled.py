"""A rulebook from sheets that somebody filled in (读规则书工作簿): the document, and every fault at its row and column.

Rows are put together to a document's tree, which is read like any other; what is found in it is told at the cell that
it comes from. A row that belongs to another one which is not there is a fault of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from engine import scalar
from engine.finding import Refused
from engine.language import Message, message
from engine.scalar import Raw, Unfit
from rules.fault import Fault
from rules.form import find_form, means
from rules.form_reading import Entry, as_codes, as_instant, as_option, read_form
from rules.piece import Located, Piece
from rules.rows import Document
from rules.rulebook_forms import FORMS, JOINT_BASIS, LATE, TESTS
from rules.rulebook_sheets import TOTAL
from rules.spreadsheet import FilledSheet
from rules.tree import load

_SETTINGS = {
    "rulebook": ("rulebook",),
    "title": ("title",),
    "effective": ("effective",),
    "base": ("base",),
    "depth": ("joint", "depth"),
    "joint_basis": ("joint", "basis"),
    "late": ("late",),
    "floor": ("standing", "floor"),
}
_RULES = {
    "rules": "event_type",
    "joint_rules": "relation",
    "difference_rules": "compares",
    "progress_rules": "progress",
    "veto_rules": "event_type",
}
"""The sheets of rules, and the column without which a rule is none of its kind."""
_NEEDED = {"event_type": "on", "relation": "joint", "compares": "differentiation", "progress": "progress"}
_LAST = 10**9


class FilledRulebook(msgspec.Struct, frozen=True):
    """A rulebook's document as its sheets say it, where its parts stand, and what of the rows could not be taken."""

    tree: Document
    located: Located
    faults: tuple[Fault, ...] = ()


def read_rulebook_sheets(sheets: Sequence[FilledSheet]) -> FilledRulebook:
    """The document that the sheets say, as far as cells and rows can be taken; what it makes as a whole is for
    :func:`rules.document.read_document` to find."""
    entries: dict[str, list[Entry]] = defaultdict(list)
    faults: list[Fault] = []
    for sheet in sheets:
        form = find_form(FORMS, sheet.title)
        if form is None:
            continue
        if entries.get(form.name):
            faults.append(Fault(said=message("sheet.twice", title=sheet.title), sheet=sheet.title))
            continue
        read, wrong = read_form(form, sheet)
        entries[form.name], faults = read, faults + wrong
    reader = _Reader(entries, faults)
    filled = reader.read()
    return msgspec.structs.replace(filled, faults=tuple(reader.faults))


class _Reader:
    def __init__(self, entries: dict[str, list[Entry]], faults: list[Fault]) -> None:
        self._entries = entries
        self.faults = faults
        self._located = Located()
        self._whole = Piece()

    def read(self) -> FilledRulebook:
        """Everything, in the order of the document's keys."""
        self._settings()
        for kind, key in (("holiday", "holidays"), ("workday", "workdays")):
            self._days(kind, key)
        self._coded("event_types", self._event_types())
        self._coded("indicators", self._indicators())
        self._coded("limits", self._limits())
        self._rules()
        self._scorecards()
        self._standing()
        self._cases()
        self._located.add(self._whole.within())
        return FilledRulebook({key: raw for key, raw in self._whole.tree.items() if raw not in ({}, [])}, self._located)

    def _find(self, entry: Entry, said: Message, column: str = "") -> None:
        self.faults.append(entry.fault(said, column))

    def _coded(self, key: str, pieces: dict[str, Piece]) -> None:
        self._whole.tree[key] = {code: piece.tree for code, piece in pieces.items()}
        for code, piece in pieces.items():
            self._located.add(piece.within(key, code))

    def _settings(self) -> None:
        for entry in self._entries["settings"]:
            item, raw = str(entry.get("item")), entry.get("setting")
            if entry.get("item") is None or raw is None:
                continue
            path = _SETTINGS[item]
            if item == "effective":
                raw = as_instant(raw)
            elif item in ("joint_basis", "late"):
                raw = as_option(raw, JOINT_BASIS if item == "joint_basis" else LATE)
            self._whole.put(path, raw, entry, "setting")

    def _days(self, kind: str, key: str) -> None:
        days = [entry for entry in self._entries["calendar"] if entry.get("day_kind") == kind]
        self._whole.tree[key] = [entry.get("day") for entry in days]
        for place, entry in enumerate(days):
            self._whole.stands((key, place), entry, "day")

    def _keyed(self, form: str, column: str = "code") -> Iterable[tuple[str, Entry]]:
        """The rows of a sheet by their code; one that has none, or another's, is a fault."""
        seen: set[str] = set()
        for entry in self._entries[form]:
            code = entry.get(column)
            if not isinstance(code, str):
                self._missing(entry, column)
            elif code in seen:
                self._find(entry, message("document.twice", given=scalar.shown(code)), column)
            else:
                seen.add(code)
                yield code, entry

    def _missing(self, entry: Entry, column: str) -> None:
        if column not in entry.shown:
            self._find(entry, message("sheet.missing"), column)

    def _parent(self, entry: Entry, column: str, pieces: dict[str, Piece]) -> Piece | None:
        """What the row belongs to."""
        code = entry.get(column)
        if code is None:
            self._missing(entry, column)
        elif code not in pieces:
            self._find(entry, message("sheet.no_parent", code=scalar.shown(code)), column)
        return pieces.get(str(code)) if code is not None else None

    # what is kept by codes

    def _event_types(self) -> dict[str, Piece]:
        types: dict[str, Piece] = {}
        for code, entry in self._keyed("event_types"):
            types[code] = piece = Piece(entry, "code")
            piece.take(entry, title="title")
            piece.tree["fields"] = {}
        fields: dict[tuple[str, str], Piece] = {}
        for entry in self._entries["fields"]:
            parent, name = self._parent(entry, "event_type", types), entry.get("field")
            if parent is None or name is None:
                if name is None:
                    self._missing(entry, "field")
                continue
            code, name = str(entry.get("event_type")), str(name)
            if (code, name) in fields:
                self._find(entry, message("document.twice", given=scalar.shown(name)), "field")
                continue
            fields[code, name] = piece = Piece(entry, "field")
            piece.take(entry, title="title", type="type", required="required", late_due=("days_late", "due"),
                       late_done=("days_late", "done"), late_calendar=("days_late", "calendar"))  # fmt: skip
        self._choices(fields)
        for (code, name), piece in fields.items():
            types[code].put(("fields", name), piece.tree)
            types[code].origins |= piece.within("fields", name)
        return types

    def _choices(self, fields: dict[tuple[str, str], Piece]) -> None:
        for entry in self._entries["choices"]:
            piece = fields.get((str(entry.get("event_type")), str(entry.get("field"))))
            choice = entry.get("choice")
            if choice is None:
                self._missing(entry, "choice")
            elif piece is None:
                code = message("sheet.field_of", event_type=scalar.shown(entry.get("event_type")),
                               field=scalar.shown(entry.get("field")))  # fmt: skip
                self._find(entry, message("sheet.no_parent", code=code), "field")
            elif choice in piece.tree.get("choices", {}):
                self._find(entry, message("document.twice", given=scalar.shown(choice)), "choice")
            else:
                title = entry.get("title")
                piece.put(("choices", str(choice)), "" if title is None else title, entry, "choice")

    def _indicators(self) -> dict[str, Piece]:
        indicators: dict[str, Piece] = {}
        entries: dict[str, Entry] = {}
        for code, entry in self._keyed("indicators"):
            indicators[code], entries[code] = Piece(entry, "code"), entry
            indicators[code].take(
                entry, title="title", full="full", owner="owner", category="category", overdraw="overdraw"
            )
            indicators[code].take(entry, method=("measure", "method"), measured_on=("measure", "on"),
                                  measured_field=("measure", "field"), measure_else=("measure", "else"),
                                  measure_order=("measure", "order"), bad=("measure", "efficacy", "bad"),
                                  good=("measure", "efficacy", "good"),
                                  missing=("measure", "raters", "missing"))  # fmt: skip
            indicators[code].stands(("measure",), entry, "method")
        steps: dict[str, list[Entry]] = defaultdict(list)
        for entry in self._entries["measure_steps"]:
            if self._parent(entry, "indicator", indicators) is not None:
                steps[str(entry.get("indicator"))].append(entry)
        for code, listed in steps.items():
            self._measure(indicators[code], entries[code], listed)
        return indicators

    def _measure(self, piece: Piece, entry: Entry, steps: list[Entry]) -> None:
        method = entry.get("method")
        where = ("measure", str(method))
        match method:
            case "bands":
                self._pairs(piece, where, steps, "measure_value", "measure_points")
            case "rank":
                piece.put(where, [step.get("measure_points") for step in steps])
                for place, step in enumerate(steps):
                    piece.stands((*where, place), step, "measure_points")
            case "linear" if len(steps) == 2:
                for end, step in zip(("from", "to"), steps, strict=True):
                    piece.put((*where, end), [step.get("measure_value"), step.get("measure_points")])
                    piece.stands((*where, end), step, "measure_value")
            case "linear":
                self._find(steps[-1], message("sheet.two_steps", given=len(steps)))
            case "milestone" | "raters":
                into = where if method == "milestone" else (*where, "weights")
                self._table(piece, into, steps, "measure_value", "measure_points")
            case _:
                for step in steps:
                    self._find(step, message("sheet.no_steps"), "indicator")

    def _pairs(self, piece: Piece, where: tuple[str, ...], steps: list[Entry], first: str, second: str) -> None:
        piece.put(where, [[step.get(first), step.get(second)] for step in steps])
        for place, step in enumerate(steps):
            piece.stands((*where, place), step)
            piece.stands((*where, place, 0), step, first)
            piece.stands((*where, place, 1), step, second)

    def _table(self, piece: Piece, where: tuple[str, ...], steps: list[Entry], first: str, second: str) -> None:
        table: dict[str, Raw] = {}
        for step in steps:
            key = step.get(first)
            if key is None:
                self._missing(step, first)
            elif key in table:
                self._find(step, message("document.twice", given=scalar.shown(key)), first)
            else:
                table[str(key)] = step.get(second)
                piece.stands((*where, str(key)), step, first if step.get(second) is not None else second)
        piece.put(where, table)

    def _limits(self) -> dict[str, Piece]:
        limits: dict[str, Piece] = {}
        for code, entry in self._keyed("limits"):
            limits[code] = Piece(entry, "code")
            limits[code].take(entry, title="title", sign="sign", window="per", limit_max="max")
        return limits

    # rules

    def _rules(self) -> None:
        read: list[tuple[int, int, Piece]] = []
        codes: set[str] = set()
        held: dict[str, dict[str, tuple[Entry, Piece]]] = defaultdict(dict)
        for form, needed in _RULES.items():
            for code, entry in self._keyed(form):
                if code in codes:
                    self._find(entry, message("document.twice", given=scalar.shown(code)), "code")
                    continue
                codes.add(code)
                piece = self._rule(form, entry)
                if entry.get(needed) is None:
                    self._missing(entry, needed)
                    piece.put((_NEEDED[needed],), "")
                held[form][code] = entry, piece
                read.append((self._number(entry, "place", _LAST), len(read), piece))
        self._steps(held["rules"])
        self._factors({code: piece for code, (_, piece) in held["rules"].items()})
        self._consequences({code: piece for code, (_, piece) in held["difference_rules"].items()})
        ordered = [piece for _, _, piece in sorted(read, key=lambda each: each[:2])]
        self._whole.tree["rules"] = [piece.tree for piece in ordered]
        for place, piece in enumerate(ordered):
            self._located.add(piece.within("rules", place))

    def _number(self, entry: Entry, column: str, instead: int) -> int:
        raw = entry.get(column)
        if raw is None:
            return instead
        try:
            return scalar.integer(raw)
        except Unfit as unfit:
            self._find(entry, unfit.expected, column)
            return instead

    def _rule(self, form: str, entry: Entry) -> Piece:
        piece = Piece(entry, "code")
        piece.take(entry, code="rule", title="title", indicator="indicator", basis="basis", note="note",
                   enabled="enabled", limits="limits")  # fmt: skip
        self._listed(piece, entry, limits="limits")
        match form:
            case "rules":
                piece.take(entry, event_type="on", condition="when", charge="charge", times="times", max="max",
                           matter="matter")  # fmt: skip
                piece.stands(("points",), entry, "points")
            case "joint_rules":
                piece.take(entry, relation="joint", of="of", sign="sign", condition="when", share="share",
                           joint_points="points", split="split", joint_max="max")  # fmt: skip
                self._listed(piece, entry, of="of")
            case "difference_rules":
                piece.take(entry, compares="differentiation", among="among", groups="groups", per="per",
                           at_least="at_least")  # fmt: skip
                raw = entry.get("compares")
                piece.tree["differentiation"] = "total" if means(raw, TOTAL) or raw == "total" else as_codes(raw)
                self._listed(piece, entry, compares="differentiation", groups="groups")
            case "progress_rules":
                piece.take(entry, progress="progress", groups="groups", per="per", progress_points="points",
                           progress_max="max", both="both")  # fmt: skip
                piece.tree["among"] = "group"
                self._listed(piece, entry, groups="groups")
            case "veto_rules":
                piece.tree["veto"] = "total"
                piece.take(entry, event_type="on", condition="when", charge="charge", to="to")
        return piece

    def _listed(self, piece: Piece, entry: Entry, **columns: str) -> None:
        for column, key in columns.items():
            raw = piece.tree.get(key)
            for place in range(len(raw) if isinstance(raw, list) else 0):
                piece.stands((key, place), entry, column)

    def _steps(self, rules: dict[str, tuple[Entry, Piece]]) -> None:
        steps: dict[str, list[Entry]] = defaultdict(list)
        pieces = {code: piece for code, (_, piece) in rules.items()}
        for step in self._entries["steps"]:
            if self._parent(step, "rule", pieces) is not None:
                steps[str(step.get("rule"))].append(step)
        for code, (entry, piece) in rules.items():
            kind = entry.get("points_kind")
            if kind is None and entry.get("points") is not None and not steps[code]:
                kind = "fixed"
            self._points(kind, entry, piece, steps[code])

    def _points(self, kind: Raw, entry: Entry, piece: Piece, steps: list[Entry]) -> None:
        used = {
            "fixed": ("points",),
            "table": ("points_field",),
            "bands": ("points_field", "points_else"),
            "progressive": ("points_field",),
            "share": ("points_field", "points_share"),
        }.get(str(kind), ())
        for column in ("points", "points_field", "points_share", "points_else"):
            if entry.get(column) is not None and column not in used:
                self._find(entry, message("sheet.unused" if kind else "sheet.no_kind"), column)
        if kind not in ("table", "bands", "progressive"):
            for step in steps:
                self._find(step, message("sheet.no_steps"), "rule")
        where = ("points", str(kind))
        match kind:
            case "fixed":
                piece.take(entry, points="points")
                return
            case "table":
                self._table(piece, where, steps, "step", "step_points")
            case "bands" | "progressive":
                self._pairs(piece, where, steps, "step", "step_points")
            case None:
                return
        piece.stands(("points",), entry, "points_kind")
        piece.stands(where, entry, "points_kind")
        piece.take(entry, points_field=("points", "field"))
        if kind == "bands":
            piece.take(entry, points_else=("points", "else"))
        if kind == "share":
            piece.take(entry, points_share=("points", "share"))

    def _factors(self, rules: dict[str, Piece]) -> None:
        factors: dict[str, dict[int, Piece]] = defaultdict(dict)
        for entry in self._entries["factors"]:
            if self._parent(entry, "rule", rules) is None:
                continue
            held = factors[str(entry.get("rule"))]
            number = self._number(entry, "factor", max(held, default=0) + 1)
            if number in held:
                self._find(entry, message("document.twice", given=number), "factor")
                continue
            held[number] = piece = Piece(entry)
            piece.take(entry, title="title", factor_condition="when", by="by", factor_field="field",
                       within_days=("repeat", "within_days"), same=("repeat", "same"))  # fmt: skip
        rows: dict[tuple[str, int], list[Entry]] = defaultdict(list)
        for entry in self._entries["factor_rows"]:
            if self._parent(entry, "rule", rules) is None:
                continue
            code = str(entry.get("rule"))
            held = factors[code]
            number = self._number(entry, "factor", next(iter(held)) if len(held) == 1 else 0)
            if number not in held:
                self._find(entry, message("sheet.no_factor", rule=code, number=number), "factor")
            else:
                rows[code, number].append(entry)
        for (code, number), listed in rows.items():
            self._table(factors[code][number], ("table",), listed, "factor_value", "factor_by")
        for code, held in factors.items():
            pieces = [held[number] for number in sorted(held)]
            rules[code].tree["factors"] = [piece.tree for piece in pieces]
            for place, piece in enumerate(pieces):
                rules[code].origins |= piece.within("factors", place)

    def _consequences(self, rules: dict[str, Piece]) -> None:
        for entry in self._entries["consequences"]:
            rule, verdict = self._parent(entry, "rule", rules), entry.get("verdict")
            if verdict is None:
                self._missing(entry, "verdict")
            if rule is None or verdict is None:
                continue
            if verdict in rule.tree:
                self._find(entry, message("document.twice", given=scalar.shown(verdict)), "verdict")
                continue
            piece = Piece(entry)
            piece.take(entry, charged="charge", consequence_points="points", **{test: ("when", test) for test in TESTS})
            rule.put((str(verdict),), piece.tree)
            rule.origins |= piece.within(str(verdict))

    # standings and cases

    def _scorecards(self) -> None:
        cards: dict[int, Piece] = {}
        first: dict[int, Entry] = {}
        for entry in self._entries["scorecards"]:
            number = self._number(entry, "scorecard", 0)
            if number < 1:
                self._find(entry, message("sheet.numbered"), "scorecard")
                continue
            if number not in cards:
                first[number], cards[number] = entry, Piece(entry, "scorecard")
                cards[number].take(entry, for_kind=("for", "kind"), for_group=("for", "group"),
                                   for_post=("for", "post"))  # fmt: skip
                cards[number].tree["parts"] = []
            for column in ("for_kind", "for_group", "for_post"):
                raw = entry.get(column)
                if raw is not None and raw != first[number].get(column):
                    self._find(entry, message("sheet.another_card", number=number, row=first[number].row), column)
            part = Piece(entry, "part")
            part.take(entry, part="title", weight="weight", part_category="category")
            if part.tree:
                parts = cards[number].tree["parts"]
                cards[number].origins |= part.within("parts", len(parts))
                parts.append(part.tree)
        ordered = [cards[number] for number in sorted(cards)]
        self._whole.tree["scorecards"] = [piece.tree for piece in ordered]
        for place, piece in enumerate(ordered):
            self._located.add(piece.within("scorecards", place))

    def _standing(self) -> None:
        for post, entry in self._keyed("linkage", "post"):
            self._whole.put(("standing", "linkage", post), entry.get("linkage_share"), entry, "linkage_share")
        tiers = self._entries["tiers"]
        if tiers:
            self._whole.put(("standing", "tiers", "shares"), [entry.get("tier_share") for entry in tiers])
            self._whole.stands(("standing", "tiers"), tiers[0], "tier_share")
        for place, entry in enumerate(tiers):
            self._whole.stands(("standing", "tiers", "shares", place), entry, "tier_share")
        awards: list[Raw] = []
        for place, entry in enumerate(self._entries["awards"]):
            piece = Piece(entry, "code")
            piece.take(entry, code="code", title="title", award_kind="kind", top_share="top_share", quota="quota",
                       per="per")  # fmt: skip
            awards.append(piece.tree)
            self._located.add(piece.within("standing", "awards", place))
        if awards:
            self._whole.put(("standing", "awards"), awards)

    def _cases(self) -> None:
        texts: dict[int, list[str]] = defaultdict(list)
        first: dict[int, Entry] = {}
        for entry in self._entries["cases"]:
            number = self._number(entry, "case", 0)
            if number < 1:
                self._find(entry, message("sheet.numbered"), "case")
                continue
            texts[number].append(str(entry.get("case_text") or ""))
            first.setdefault(number, entry)
        cases = []
        for place, number in enumerate(sorted(texts)):
            entry = first[number]
            try:
                trees = load("\n".join(texts[number]) + "\n")
            except Refused as refused:
                for finding in refused.findings:
                    said = message("sheet.case_line", line=finding.line or 1, said=finding.message)
                    self._find(entry, said, "case_text")
                continue
            if len(trees) != 1:
                self._find(entry, message("sheet.one_case", given=len(trees)), "case_text")
                continue
            self._whole.stands(("cases", place), entry, "case_text")
            cases.append(trees[0].raw)
        self._whole.tree["cases"] = cases
