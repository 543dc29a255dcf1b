"""The commands, a noun a file. A new file's command is added to ``COMMANDS``, and nowhere else."""

import click

from api.commands.check import check
from api.commands.demo import demo
from api.commands.export import export
from api.commands.import_ import import_
from api.commands.key import key
from api.commands.migrate import migrate
from api.commands.rebuild import rebuild
from api.commands.seal import seal
from api.commands.serve import serve
from api.commands.simulate import simulate
from api.commands.user import user
from api.commands.verify import verify

COMMANDS: tuple[click.Command, ...] = (
    *(serve, demo, check, migrate, key, user),
    *(import_, export, verify, seal, rebuild),
    simulate,
)
