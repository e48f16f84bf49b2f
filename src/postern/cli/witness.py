"""`postern witness`: signs the logs of other sites, so that none is rolled back unseen."""

from pathlib import Path
from threading import Lock
from typing import Annotated

import typer

from postern.api.witness import witness_app
from postern.app.clock import SystemClock
from postern.app.witness_folder import open_witness, witness_key
from postern.cli.public_key import key_text
from postern.cli.terminal import OUT, say, warn
from postern.ledger.witness import MOST_BODY
from postern.web.server import listen, server

app = typer.Typer(help="Sign the logs of other sites.", no_args_is_help=True, add_completion=False)

Folder = Annotated[
    Path, typer.Option("--folder", "-f", help="Its key, and what it signed of every log.")
]


@app.command()
def serve(
    folder: Folder,
    log: Annotated[
        list[str],
        typer.Option("--log", help="A log's public key, or its file log.vkey; repeat it."),
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="Its name, given once: witness.example/hub.")
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = (
        8099
    ),
) -> None:
    """Sign the checkpoints of these logs over HTTP, each log's one history only, until Ctrl-C.

    To be reached from other machines, put a web server with TLS in front of it.
    """
    witness, key = open_witness(folder, name, [key_text(one) for one in log], SystemClock())
    lock = Lock()  # Guards the terminal: requests are answered in several threads.

    def tell(sentence: str) -> None:
        with lock:
            warn(sentence)

    serving = server(witness_app(witness, MOST_BODY, tell))
    with listen(host, port) as listening:
        at = listening.getsockname()
        say(f"Listening on {at[0]} port {at[1]}; stop with Ctrl-C. Its public key:")
        OUT.print(key.vkey, soft_wrap=True)
        OUT.file.flush()
        serving.run(sockets=[listening])


@app.command()
def key(folder: Folder) -> None:
    """Show its public key, which goes into `site.toml` of every site that asks it."""
    OUT.print(witness_key(folder).vkey, soft_wrap=True)
