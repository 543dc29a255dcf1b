"""Who reads what of the ledger (谁看什么): what each role gives, added up; docs/roles.md has it cell by cell."""

from admin.guard import NoSubject, NotYours
from admin.session import Person
from admin.tables import Role
from ledger.sight import EVERYTHING, Sight

READERS = (Role.office, Role.approver, Role.auditor)
"""Who may read everything; the others read what concerns their own subject."""


def reads_all(person: Person) -> bool:
    """Whether a person may read the whole ledger."""
    return bool(frozenset(READERS) & person.roles)


def is_subject(person: Person, subject: str) -> bool:
    """Whether a person is this subject, and has the role to act and read as it."""
    return Role.subject in person.roles and bool(person.subject) and person.subject == subject


def may_read(person: Person, subject: str) -> bool:
    """Whether a person may read everything on this subject."""
    return reads_all(person) or is_subject(person, subject)


def sight_of(person: Person) -> Sight:
    """What a person may see of the ledger: what each role gives, added up."""
    if reads_all(person):
        return EVERYTHING
    owner = person.subject if Role.assessor in person.roles else None
    return Sight(subject=person.subject if Role.subject in person.roles else "", owner=owner)


def seen_by(person: Person) -> Sight:
    """The same, on a page. NotYours where it is nothing, in words where that is for want of a subject."""
    found = sight_of(person)
    if found.blind:
        raise NoSubject if person.roles & {Role.assessor, Role.subject} else NotYours
    return found
