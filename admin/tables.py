"""Who signs in (用户), with which key systems come in (密钥), what was changed by whom (变更记录), who approved what
(审批), and what was reported but refused (退回记录)."""

from enum import StrEnum

from piccolo.apps.user.tables import BaseUser
from piccolo.columns import Boolean, ForeignKey, Integer, OnDelete, Serial, Text, Timestamptz, Varchar
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.columns.readable import Readable
from piccolo.constraints import Unique
from piccolo.table import Table


class Role(StrEnum):
    """What a person may do."""

    office = "office"
    approver = "approver"
    auditor = "auditor"
    assessor = "assessor"
    subject = "subject"
    integrator = "integrator"


class User(BaseUser, tablename="app_user"):
    """A person who signs in. ``subject`` is the subject of the organisation that the person is."""

    email = Varchar(length=255, null=True, default=None)
    subject = Varchar(length=64)
    must_change_password = Boolean(default=False)

    _min_password_length = 10

    @classmethod
    def get_readable(cls) -> Readable:
        """The user's name."""
        return Readable(template="%s", columns=[cls.username])


class UserRole(Table, tablename="user_role"):
    """A role that a user has."""

    id: Serial
    user = ForeignKey(references=User, on_delete=OnDelete.cascade, null=False)
    role = Varchar(length=32, choices=Role)
    user_role_once = Unique([user, role])


class Approval(Table, tablename="approval"):
    """A second person approves the draft of this hash. An edit makes another hash."""

    id: Serial
    hash = Varchar(length=64)
    user = Varchar(length=100)
    at = Timestamptz(default=TimestamptzNow())
    approval_once = Unique(["hash", "user"])


class ChangeLog(Table, tablename="change_log"):
    """Who changed which row of which table, from what to what (JSON); an empty side: there was nothing."""

    id: Serial
    at = Timestamptz(default=TimestamptzNow(), index=True)
    user = Varchar(length=100)
    action = Varchar(length=16)
    table = Varchar(length=64)
    row = Varchar(length=64)
    before = Text()
    after = Text()


class ApiKey(Table, tablename="api_key"):
    """A key that a system comes in with: its hash, never itself. ``scopes`` are words with a space between."""

    id: Serial
    name = Varchar(length=64, unique=True)
    hash = Varchar(length=64, unique=True, secret=True)
    scopes = Text()
    source = Varchar(length=64, null=True, default=None)
    made_at = Timestamptz(default=TimestamptzNow())
    made_by = Varchar(length=100)
    expires_at = Timestamptz(null=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)


class Source(Table, tablename="source"):
    """A source of events and the URI that it calls itself by in a CloudEvents envelope."""

    code = Varchar(length=64, primary_key=True, default=None)
    title = Text()
    uri = Text(unique=True, null=True, default=None)


class Reception(Table, tablename="reception"):
    """A reported event that was refused, for reconciliation with its sender: what was wrong, never its content."""

    id: Serial
    at = Timestamptz(default=TimestamptzNow(), index=True)
    sender = Varchar(length=100)
    source = Varchar(length=64)
    event = Text()
    status = Integer()
    problem = Text()


APPEND_ONLY: tuple[type[Table], ...] = (Approval, ChangeLog)
"""Written once: who approved and who changed what is never rewritten."""
