"""The parties of an appeal (申诉各方): what a signed-in person is in it, by roles and subject."""

from admin.readers import is_subject
from admin.session import Person
from admin.tables import Role
from ledger.appeals import Party

EVERY_CASE = frozenset({Role.office, Role.approver, Role.auditor})
"""Who reads every case; others read their own subject's."""


def party_of(person: Person) -> Party:
    """Who takes a step."""
    return Party(
        name=person.name,
        subject=person.subject,
        office=Role.office in person.roles,
        reviewer=Role.approver in person.roles,
    )


def reads_every_case(person: Person) -> bool:
    """Whether a person reads cases of every subject."""
    return bool(EVERY_CASE & person.roles)


def reads_case(person: Person, subject: str) -> bool:
    """Whether a person reads the cases of this subject."""
    return reads_every_case(person) or is_subject(person, subject)


def lodges(person: Person, subject: str) -> bool:
    """Whether a person may lodge on an entry of this subject: as the subject, or for the office on its behalf."""
    return Role.office in person.roles or is_subject(person, subject)
