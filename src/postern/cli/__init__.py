"""The command line: one file per subcommand."""

import sys

import typer
from click.exceptions import Abort, ClickException

from postern.cli import (
    bench,
    calibrate,
    check,
    enrol,
    evaluate,
    events,
    models,
    permit,
    person,
    run,
    vehicle,
)
from postern.cli.console import ERR, fail
from postern.cli.demo.command import demo
from postern.core.errors import PosternError

app = typer.Typer(
    help="Opens doors and barriers for the people and vehicles that asked to be recognised.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo)
app.command("run")(run.run)
app.command("check")(check.check)
app.command("enrol")(enrol.enrol)
app.add_typer(person.app, name="person")
app.add_typer(vehicle.app, name="vehicle")
app.add_typer(permit.app, name="permit")
app.command("events")(events.events)
app.add_typer(models.app, name="models")
app.command("calibrate")(calibrate.calibrate)
app.add_typer(evaluate.app, name="evaluate")
app.command("bench")(bench.bench)


def main() -> None:
    """Runs a command; failures are one sentence on standard error and an exit code."""
    try:
        app(standalone_mode=False)
    except PosternError as error:
        sys.exit(fail(error))
    except ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (Abort, KeyboardInterrupt):
        ERR.print("stopped")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
