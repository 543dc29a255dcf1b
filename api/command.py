"""``jikao``: the command line. Errors are one line each and the exit status says so."""

import signal
import sys
from types import FrameType

import click

from api.commands import COMMANDS
from api.commands.speaking import JSON, complain
from api.settings import language
from engine.finding import Finding, Refused
from engine.language import message


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="jikao", message="jikao %(version)s")
def jikao() -> None:
    """绩考：绩效考核计分服务 / a scoring-rules service for performance assessment offices."""


for _command in COMMANDS:
    jikao.add_command(_command)


def main() -> None:
    """Run one command and exit."""
    signal.signal(signal.SIGTERM, _ended)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; the exit status: 0 done, 1 refused, 2 asked wrongly, 130 interrupted."""
    as_json = JSON in arguments
    try:
        language()
        outcome = jikao.main(arguments, prog_name="jikao", standalone_mode=False)
    except Refused as refused:
        complain(refused, as_json=as_json)
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        complain(Refused(Finding(message=message("command.interrupted"))), as_json=as_json)
        return 130
    return outcome if isinstance(outcome, int) else 0


def _ended(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM unwinds like Ctrl+C, so that what was started is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
