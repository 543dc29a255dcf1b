"""Rules from filled rows (读入的规则): the sheets of every kind of rule and what belongs to them, in order."""

from collections import defaultdict

from engine import scalar
from engine.language import message
from engine.scalar import Raw
from rules.filled_rows import FilledRows
from rules.form import means
from rules.form_reading import Entry, as_codes
from rules.piece import Piece
from rules.rulebook_forms import TESTS
from rules.rulebook_sheets import TOTAL

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


class FilledRules(FilledRows):
    """Puts the rules together."""

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
