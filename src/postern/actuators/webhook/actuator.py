"""Another program that opens when it is asked by a signed HTTP request, and times the pulse."""

import json
import ssl
from threading import Lock
from time import monotonic

import httpx

from postern.actuators import Tell
from postern.actuators.exchange import Exchange
from postern.actuators.once import Once
from postern.actuators.webhook.config import Config, check_near
from postern.actuators.webhook.signature import read_key, sign
from postern.core.errors import PosternError
from postern.core.ports import Actuator, Clock, Command, Report
from postern.secret import read_password

#: Seconds for a whole request.
TIMEOUT_S = 0.95


class WebhookActuator:
    """Posts every command once, and takes a status of 200 to 299 for done.

    Args:
        exchange: Where to.
        key: What the requests are signed with.
        clock: The two clocks.
        tell: Told `ok` or `red` and one sentence whenever that changes.
    """

    def __init__(self, exchange: Exchange, key: bytes, clock: Clock, tell: Tell) -> None:
        self._exchange = exchange
        self._key = key
        self._clock = clock
        self._tell = tell
        self._once = Once(self._drive)
        self._told = ""
        self._telling = Lock()  # Held by whoever tells: what was told last is what holds.
        self._lock = Lock()  # Guards `_ends`.
        self._ends = 0.0

    def pulse(self, command: Command) -> Report:
        """Asks the receiver to open for `command.hold_s`; never raises."""
        return self._once.pulse(command)

    def close(self) -> None:
        """Does nothing: the receiver ends what it began."""

    def _drive(self, command: Command) -> Report:
        try:
            self._ask(command)
        except PosternError as error:
            self._say("red", error.message)
            raise
        self._say("ok", "The receiver took a command.")
        return Report(True, f"The receiver was told to open for {command.hold_s:g} s.")

    def _ask(self, command: Command) -> None:
        asked = {
            "command": command.id,
            "access_point": command.access_point,
            "hold_s": self._hold_s(command.hold_s),
        }
        body = json.dumps(asked).encode()
        at_s = int(self._clock.now().utc.timestamp())
        headers = sign(self._key, command.id, at_s, body)
        reply = self._exchange.post(body, headers, TIMEOUT_S)
        if not httpx.codes.is_success(reply.status):
            raise self._exchange.failed(f"answered with status {reply.status}")

    def _hold_s(self, hold_s: float) -> float:
        """A longer pulse that is under way is not cut short by a receiver that begins anew."""
        now = monotonic()
        with self._lock:
            self._ends = max(self._ends, now + hold_s)
            return max(hold_s, round(self._ends - now, 2))

    def _say(self, state: str, why: str) -> None:
        news = f"{state} {why}"
        with self._telling:
            if news != self._told:
                self._told = news
                self._tell(state, why)


def open_actuator(config: Config, clock: Clock, tell: Tell) -> Actuator:
    """The actuator.

    Raises:
        PosternError: As `read_password` and `read_key`.
    """
    key = read_key(read_password(config.secret_file))
    if config.plain:
        exchange = Exchange(config.endpoint, config.path, None, lambda at: check_near(at.number))
    else:
        exchange = Exchange(config.endpoint, config.path, _trusted())
    return WebhookActuator(exchange, key, clock, tell)


def _trusted() -> ssl.SSLContext:
    """The usual authorities, and those that this system's operator added."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
