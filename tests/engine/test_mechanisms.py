"""Each mechanism of the ledger is met often enough that the property fails where it is switched off."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine import planner, register
from engine.period import Calendar, Period
from engine.recalling import Recalling
from engine.reorganisation import Reorganisation
from tests.worlds import History, check_sums

HISTORIES = 60
STEPS = 25


def live(seed: int) -> None:
    """A history in which sums, and the dates that entries are booked on, are checked after each step."""
    history = History(seed, periodical=seed % 2 == 0)
    closed: set[str] = set()
    for _ in range(STEPS):
        posted = len(history.register.entries)
        step, refused = history.step()
        if not refused and step.verb in ("close", "reopen"):
            (closed.add if step.verb == "close" else closed.discard)(step.args[0])
        check_bookings(history, closed, posted)
        check_sums(history)


def check_bookings(history: History, closed: set[str], since: int) -> None:
    """What was posted lies on its own date where that is open, and on an open one otherwise."""
    periods = history.register.bureau.calendar.periods

    def is_closed(posted: Any) -> bool:
        return any(periods[code].contains(posted) for code in closed)

    for each in history.register.entries[since:]:
        entry = each.entry
        assert not is_closed(entry.booked), entry
        held = history.register.held.get(entry.charge.key.event)
        if entry.kind == "direct" and held is not None:
            day = history.register.bureau.day(held.recorded.event.time)
            assert (entry.booked == day) == (not is_closed(day)), entry


def never(*_: Any) -> bool:
    return False


def off(monkeypatch: pytest.MonkeyPatch, mechanism: str) -> None:
    """Switch one mechanism off."""
    plan: Any = planner._Planner
    match mechanism:
        case "clips":
            monkeypatch.setattr(planner._Room, "concerned", lambda *_: None)
        case "supersessions":
            monkeypatch.setattr(plan, "_count", lambda *_: set())
        case "supersessions elsewhere":
            count = plan._count
            monkeypatch.setattr(plan, "_count", lambda self: {*()} if count(self) else set())
        case "repeats":
            monkeypatch.setattr(Recalling, "recall", lambda *_: None)
        case "late arrivals that are repeated":
            monkeypatch.setattr(plan, "_look_again", lambda self: dict.fromkeys(self.anew))
        case "corrections":
            monkeypatch.setattr(register.Register, "correct", _record_only)
        case "versions that reach back":
            monkeypatch.setattr(register.Register, "_ruled_anew", lambda *_: [])
        case "organisation changes that reach back":
            module: Any = register
            reorganise = module.reorganise

            def forget(*args: Any) -> Reorganisation:
                after: Reorganisation = reorganise(*args)
                return msgspec.structs.replace(after, first_day=None)

            monkeypatch.setattr(module, "reorganise", forget)
        case "tasks that grow":
            monkeypatch.setattr(register.Register, "_grows", never)
        case "settlements by difference":
            monkeypatch.setattr(register.Register, "_settle", _charge_nothing_again(register.Register._settle))
        case "carrying":
            monkeypatch.setattr(Calendar, "book", lambda _, day: day)
        case "reopenings":
            monkeypatch.setattr(register.Register, "reopen", lambda *_: None)


def _record_only(self: register.Register, key: Any, report: Any) -> None:
    self.record(report)
    self.held.setdefault(key, self.held[report.key])
    self.book.events.pop(key, None)


def _charge_nothing_again(settle: Callable[..., Any]) -> Callable[..., Any]:
    def settled(self: register.Register, bureau: Any, period: Period, grown: Any) -> Any:
        found = settle(self, bureau, period, grown)
        for lot in [lot for lot in self.period_charges if lot.id == period.code and lot not in found.charges]:
            self.period_charges.pop(lot)
        return found

    return settled


MECHANISMS = (
    "clips",
    "supersessions",
    "supersessions elsewhere",
    "repeats",
    "late arrivals that are repeated",
    "corrections",
    "versions that reach back",
    "organisation changes that reach back",
    "tasks that grow",
    "settlements by difference",
    "carrying",
    "reopenings",
)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_property_fails_without(monkeypatch: pytest.MonkeyPatch, mechanism: str) -> None:
    off(monkeypatch, mechanism)
    for seed in range(HISTORIES):
        try:
            live(seed)
        except (AssertionError, LookupError, ValueError):
            return
    pytest.fail(f"{HISTORIES} histories of {STEPS} steps hold without {mechanism}")


def test_it_holds_with_all_of_them() -> None:
    for seed in range(HISTORIES):
        live(seed)
