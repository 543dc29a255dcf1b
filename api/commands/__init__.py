"""The commands, a noun a file. A new file's command is added to ``COMMANDS``, and nowhere else."""

import click

from api.commands.migrate import migrate
from api.commands.serve import serve

COMMANDS: tuple[click.Command, ...] = (serve, migrate)
