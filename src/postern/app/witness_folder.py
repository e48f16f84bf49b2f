"""The folder of a witness that is run here: its key, its name, and what it signed of each log."""

from collections.abc import Sequence
from pathlib import Path

from postern.app.witness import parse_log_key, parse_witness_key
from postern.core.errors import Code, PosternError, invalid
from postern.core.ports import Clock
from postern.ledger.files import put, sync_folder
from postern.ledger.note import KeyType, Signer, Verifier, named
from postern.ledger.witness import Witness, make_witness_folder
from postern.vault.secret_file import SecretFile

KEY, VKEY, LOGS = "witness.key", "witness.vkey", "logs"
_SUCH_AS = "Such as: --name witness.example/hub"


def open_witness(
    folder: Path, name: str | None, logs: Sequence[str], clock: Clock
) -> tuple[Witness, Verifier]:
    """A witness and its public key, both made at the first start.

    Args:
        folder: Where it keeps everything.
        name: Its name, such as `witness.example/hub`; None for the one it has.
        logs: The texts of the public keys of the logs that it signs.
        clock: For the times that it states.

    Raises:
        PosternError: `invalid` where a key is none of a log's, its name is another or not given at
            first, or its own key is damaged; `unavailable` where the disk fails.
    """
    known = [parse_log_key(text.strip()) for text in logs]
    signer = _signer(folder, name)
    # Found out now, rather than when a log first asks.
    make_witness_folder(folder / LOGS)
    return Witness(folder / LOGS, signer, known, clock), signer.verifier


def witness_key(folder: Path) -> Verifier:
    """The public key of the witness in a folder.

    Raises:
        PosternError: `not_found` where there is none; `invalid` where it is damaged.
    """
    key = _known(folder)
    if key is None:
        raise PosternError(
            Code.NOT_FOUND,
            f"There is no witness in {folder}.",
            "postern witness serve makes one at its first start.",
        )
    return key


def _signer(folder: Path, name: str | None) -> Signer:
    known = _known(folder)
    chosen = name or (known.name if known else None)
    if chosen is None:
        raise invalid("A new witness needs a name.", _SUCH_AS)
    try:
        named(chosen)
    except PosternError as error:
        raise invalid(error.message, _SUCH_AS) from None
    if known is not None and known.name != chosen:
        raise invalid(
            f"This witness is called {known.name}, not {chosen}.",
            "Sites know it by that name: leave out --name, or take another folder.",
        )
    make_witness_folder(folder)
    secret = SecretFile(folder / KEY)
    seed = secret.read() if known else secret.make()
    signer = Signer(chosen, seed, KeyType.WITNESS) if seed else None
    if signer is None or (known is not None and signer.verifier != known):
        raise invalid(
            f"The key of the witness {chosen} is gone or another.",
            f"Put back {KEY}, or let it begin anew in another folder and tell every site.",
        )
    if known is None:
        put(folder / VKEY, f"{signer.verifier.vkey}\n".encode())
        sync_folder(folder)
    return signer


def _known(folder: Path) -> Verifier | None:
    file = folder / VKEY
    try:
        text = file.read_text("utf-8", "replace")
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise invalid(
            f"{folder} is no folder.", "Name the folder of a witness, or one for a new witness."
        ) from None
    except OSError as error:
        raise PosternError(Code.UNAVAILABLE, f"{file} cannot be read: {error.strerror}.") from None
    try:
        return parse_witness_key(text.removesuffix("\n"))
    except PosternError:
        raise invalid(
            f"{file} is damaged: it has no public key of a witness.",
            "Put back the line that sites have as key in their site.toml.",
        ) from None
