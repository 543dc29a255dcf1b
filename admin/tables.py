"""Who signs in (用户), with which key systems come in (密钥), what was changed by whom (变更记录), who approved what
(审批), what was received besides the recorded (接收记录), and what sources say that they sent (对账单)."""

from enum import StrEnum

from piccolo.apps.user.tables import BaseUser
from piccolo.columns import Boolean, Bytea, Date, ForeignKey, Integer, OnDelete, Serial, Text, Timestamptz, Varchar
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
    """A second person approves the draft of this hash. ``change`` is the last change of the draft that they saw: any
    later one withdraws the approval, even where it leads back to the same hash."""

    id: Serial
    hash = Varchar(length=64)
    user = Varchar(length=100)
    at = Timestamptz(default=TimestamptzNow())
    change = Integer(default=0)
    approval_once_a_change = Unique(["hash", "user", "change"])


class ChangeLog(Table, tablename="change_log"):
    """Who changed which row of which table, from what to what (JSON); an empty side: there was nothing.

    ``owner`` is the code of the rule, indicator or event type that the row is or belongs to, ``name`` what the row was
    called then: both stay readable when it is gone.
    """

    id: Serial
    at = Timestamptz(default=TimestamptzNow(), index=True)
    user = Varchar(length=100)
    action = Varchar(length=16)
    table = Varchar(length=64)
    row = Varchar(length=64)
    owner = Varchar(length=64)
    name = Text()
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

    id: Serial
    code = Varchar(length=64, unique=True)
    title = Text()
    uri = Text(unique=True, null=True, default=None)


class Outcome(StrEnum):
    """What became of a report that was not recorded as a new event."""

    repeated = "repeated"
    refused = "refused"


class Reception(Table, tablename="reception"):
    """A report that is no new event of the ledger: it was there already, or what was wrong. Never its content.

    ``problem`` is said in zh-CN, ``problem_en`` in English, as the sender was told at the time.
    """

    id: Serial
    at = Timestamptz(default=TimestamptzNow())
    sender = Varchar(length=100)
    source = Varchar(length=64)
    event = Text()
    outcome = Varchar(length=8, choices=Outcome, default=Outcome.refused)
    status = Integer()
    problem = Text()
    problem_en = Text()


class Statement(Table, tablename="statement"):
    """What a source says that it sent on a day, beside what was there when it said so.

    ``stated`` counts the events, ``listed`` tells whether their ids were given. ``missing`` and ``unexpected`` are ids,
    as JSON, and empty where only a count was given.
    """

    id: Serial
    at = Timestamptz(default=TimestamptzNow())
    sender = Varchar(length=100)
    source = Varchar(length=64)
    day = Date()
    recorded = Integer()
    repeated = Integer()
    refused = Integer()
    scored = Integer()
    stated = Integer()
    listed = Boolean(default=False)
    missing_count = Integer()
    unexpected_count = Integer()
    missing = Text(default="[]")
    unexpected = Text(default="[]")


class Upload(Table, tablename="upload"):
    """A file that was sent in and looked at, kept until its sender confirms the import or sends another.

    ``code`` is a secret that its sender's pages name it by; ``since`` is the day from which an organisation is to hold.
    """

    id: Serial
    code = Varchar(length=64, unique=True)
    user = Varchar(length=100)
    at = Timestamptz(default=TimestamptzNow())
    what = Varchar(length=16)
    name = Text()
    since = Date(null=True, default=None)
    content = Bytea(null=True, default=None)


APPEND_ONLY: tuple[type[Table], ...] = (Approval, ChangeLog, Reception, Statement)
"""Written once: who approved, who changed what, and what was received and stated is never rewritten."""
