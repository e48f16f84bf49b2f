"""The command line: one file per subcommand, loaded when it is called."""

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from postern.cli.terminal import OUT, fail
from postern.core.errors import Code, PosternError
from postern.process import keep_memory_private, keep_memory_small

#: Where each command is. Loading them all takes seconds, and completion asks at every key.
COMMANDS = {
    "demo": "postern.cli.demo.command:demo",
    "doctor": "postern.cli.doctor:doctor",
    "aim": "postern.cli.aim:aim",
    "run": "postern.cli.run:run",
    "console": "postern.cli.console:console",
    "check": "postern.cli.check:check",
    "enrol": "postern.cli.enrol:enrol",
    "person": "postern.cli.person:app",
    "consents": "postern.cli.consents:app",
    "pass": "postern.cli.passes:app",
    "vehicle": "postern.cli.vehicle:app",
    "permit": "postern.cli.permit:app",
    "mode": "postern.cli.mode:app",
    "user": "postern.cli.user:app",
    "key": "postern.cli.key:app",
    "events": "postern.cli.events:events",
    "verify": "postern.cli.verify:verify",
    "prove": "postern.cli.prove:prove",
    "witness": "postern.cli.witness:app",
    "rekey": "postern.cli.rekey:rekey_site",
    "backup": "postern.cli.backup:backup_site",
    "restore": "postern.cli.backup:restore_site",
    "upgrade": "postern.cli.upgrade:upgrade",
    "models": "postern.cli.models:app",
    "calibrate": "postern.cli.calibrate:calibrate",
    "evaluate": "postern.cli.evaluate:app",
    "bench": "postern.cli.bench:bench",
}


class _Commands(TyperGroup):
    """The commands, each loaded when it is needed.

    Some releases of Typer bring their own Click and some do not, so that its types have no name.
    """

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        return _load(cmd_name) if cmd_name in COMMANDS else None

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            # What Pydantic puts before every message of Typer's own says nothing to anybody.
            error.message = error.message.removeprefix("Value error, ")
            raise


def _load(name: str) -> Any:  # noqa: ANN401
    module, _, attribute = COMMANDS[name].partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        found = alone
    command = typer.main.get_command(found)
    command.name = name
    return command


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        OUT.print(f"postern {version('postern')}")
        raise typer.Exit


@app.callback()
def postern(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Opens doors and barriers for the people and vehicles that asked to be recognised."""


def main() -> None:
    """Runs a command; failures are one sentence on standard error and an exit code."""
    try:
        keep_memory_private()
        keep_memory_small()
        app()
    except PosternError as error:
        sys.exit(fail(error))
    except OSError as error:
        sys.exit(fail(_of_system(error)))
    except Exception as error:  # noqa: BLE001 - nobody may be shown a traceback
        sys.exit(fail(_unforeseen(error)))


def _of_system(error: OSError) -> PosternError:
    what = f"{error.filename}: " if error.filename else ""
    return PosternError(Code.UNAVAILABLE, f"{what}{error.strerror or type(error).__name__}.")


def _unforeseen(error: Exception) -> PosternError:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "?"
    return PosternError(
        Code.INTERNAL,
        f"An internal fault ({type(error).__name__} in {where}).",
        "This is a mistake in Postern: please report it with what you did.",
    )
