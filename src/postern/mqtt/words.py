"""A broker, what is published there, and what is listened to; loads no library of MQTT."""

from dataclasses import dataclass
from pathlib import Path

from postern.address import Endpoint, endpoint
from postern.core.errors import invalid

PORT, TLS_PORT = 1883, 8883


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where a broker is, and who we are to it.

    Attributes:
        address: Its name or number, and its port after a colon where that is not 1883, or 8883 with
            TLS.
        tls: Whether the connection is encrypted, and the broker's certificate checked.
        ca: Who signed that certificate, where the system does not know them.
        user: The user's name; None for a broker that asks for none.
        password_file: The user's password.
    """

    address: str
    tls: bool = False
    ca: Path | None = None
    user: str | None = None
    password_file: Path | None = None

    def __post_init__(self) -> None:
        _ = self.endpoint  # Which checks it.
        if self.ca is not None and not self.tls:
            raise invalid("A certificate's signer counts with tls = true only.")
        if (self.user is None) is not (self.password_file is None):
            raise invalid("A user and a password_file go together.")

    @property
    def endpoint(self) -> Endpoint:
        """Where to connect to, and what to call it in sentences."""
        return endpoint(self.address, TLS_PORT if self.tls else PORT)


def check_topic(topic: str) -> None:
    """Refuses what nothing can be published to.

    Raises:
        PosternError: `invalid`.
    """
    if not 0 < len(topic.encode()) <= 512 or not topic.isprintable() or set("+#") & set(topic):
        raise invalid("A topic has 1 to 512 printable characters, and neither + nor #.")


@dataclass(frozen=True, slots=True)
class Message:
    """What is published, or heard.

    Attributes:
        topic: Where.
        payload: What.
        retain: Whether the broker keeps it for those who come later; of what is heard, whether it
            is such a one, or was sent as one where its subscription asks.
    """

    topic: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is listened to.

    Attributes:
        topic: Where; may have wildcards.
        kept: Whether messages that the broker keeps are wanted, too.
        flagged: Whether `retain` shall show that a message was sent to be kept, also where it comes
            at once.
    """

    topic: str
    kept: bool = True
    flagged: bool = False
