"""What an upgrade is to do, and what became of it: two small files in JSON."""

import json
from dataclasses import asdict, dataclass

from postern.core.errors import PosternError, invalid

#: Written by one version and read by the next: a change needs another number.
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Order:
    """An upgrade that is under way.

    Attributes:
        origin: The version that served the site.
        target: The version that shall.
        restore: Whether the target cannot read the present store, so that it gets the one back that
            it had; only where somebody goes back by hand.
        steady_s: Seconds for which the service must stay up to have proved itself.
        kept: Whether the present store was copied, where `restore` is about to replace it.
        failed: What became of the target, so that the origin is to serve again; empty while the
            target is tried.
    """

    origin: str
    target: str
    restore: bool
    steady_s: float
    kept: bool = False
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last upgrade ended.

    Attributes:
        done: Whether the target serves the site.
        sentence: What happened.
    """

    done: bool
    sentence: str


def written(record: Order | Outcome) -> bytes:
    """The bytes of a file that `read_order` or `read_outcome` takes."""
    return json.dumps({"format": _FORMAT, **asdict(record)}, indent=1).encode()


def read_order(content: bytes) -> Order:
    """The order in those bytes.

    Raises:
        PosternError: `invalid` where there is none in them.
    """
    record = _record(content)
    try:
        return Order(**record)  # type: ignore[arg-type]
    except TypeError:
        raise _unreadable() from None


def read_outcome(content: bytes) -> Outcome:
    """The outcome in those bytes.

    Raises:
        PosternError: `invalid` where there is none in them.
    """
    record = _record(content)
    try:
        return Outcome(**record)  # type: ignore[arg-type]
    except TypeError:
        raise _unreadable() from None


def _record(content: bytes) -> dict[str, object]:
    try:
        record = json.loads(content)
        if record.pop("format") != _FORMAT:
            raise _unreadable()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _unreadable() from None
    return dict(record)


def _unreadable() -> PosternError:
    return invalid(
        "What an upgrade has written down cannot be read.",
        "Look at /opt/postern: `current` names the version that runs; remove upgrade.json.",
    )
