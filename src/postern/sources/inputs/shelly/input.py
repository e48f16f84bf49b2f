"""A contact at the input of a Shelly device of the second generation or later, read over HTTP.

https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Input
"""

import json
from collections.abc import Iterator
from threading import Event
from time import monotonic

import httpx

from postern.address import Pinned
from postern.core.errors import Code, PosternError
from postern.core.ports import Clock
from postern.core.signal import Signal
from postern.secret import read_password
from postern.sources.inputs.listening import Debounce, Hear, Listening
from postern.sources.inputs.shelly.config import Config

#: Seconds for the device to answer, and for the whole of an answer.
TIMEOUT_S, ANSWER_S = 1.0, 2.0
#: Bytes of an answer; a device's own has a hundred.
MOST = 16 * 1024
#: Who its password belongs to; the device knows no other.
_USER = "admin"


class ShellyInput:
    """One input of a Shelly device.

    Args:
        config: Which one.
        name: What it is called.
        clock: The two clocks.
    """

    def __init__(self, config: Config, name: str, clock: Clock) -> None:
        self._config = config
        self._endpoint = config.endpoint
        self._listening = Listening(
            name, self._listen, lambda: Debounce(config.debounce_s, config.inverted), clock
        )

    def signals(self) -> Iterator[Signal | None]:
        """See `postern.core.ports.Input.signals`."""
        return self._listening.signals()

    def close(self) -> None:
        """See `postern.core.ports.Input.close`."""
        self._listening.close()

    def _listen(self, hear: Hear, stop: Event) -> None:
        pinned = self._endpoint.pin(timeout_s=TIMEOUT_S)
        secret = self._config.password_file
        auth = httpx.DigestAuth(_USER, read_password(secret)) if secret else None
        # Neither a redirect nor a proxy of the environment leads anywhere else.
        with httpx.Client(
            auth=auth, timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
        ) as client:
            live = False
            while not stop.is_set():
                hear(self._level(client, pinned), live)
                live = True
                stop.wait(self._config.poll_s)

    def _level(self, client: httpx.Client, pinned: Pinned) -> bool:
        call = {"id": 1, "method": "Input.GetStatus", "params": {"id": self._config.channel}}
        status, body = self._answer(client, pinned, call)
        if status == httpx.codes.UNAUTHORIZED:
            raise self._fault("asks for another password", "See to password_file.")
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        state = _state(found)
        if status != httpx.codes.OK or state is None:
            raise self._fault(
                f"does not say what its input {self._config.channel} is",
                "It has to be an input of the type switch of a Shelly from the second generation.",
            )
        return state

    def _answer(
        self, client: httpx.Client, pinned: Pinned, call: dict[str, object]
    ) -> tuple[int, bytes]:
        """The status and body of an answer, which may be slow or endless."""
        until_s, body = monotonic() + ANSWER_S, b""
        headers = {"Host": pinned.authority, "Accept-Encoding": "identity"}
        url = f"http://{pinned.netloc}/rpc"
        try:
            with client.stream("POST", url, json=call, headers=headers) as answer:
                for part in answer.iter_raw():
                    body += part
                    if len(body) > MOST or monotonic() > until_s:
                        raise self._fault("gives an answer without an end", "Is it a Shelly?")
                return answer.status_code, body
        except (httpx.HTTPError, httpx.InvalidURL):
            raise self._fault("does not answer", "Check its network and its power.") from None

    def _fault(self, how: str, hint: str) -> PosternError:
        return PosternError(Code.UNAVAILABLE, f"The device at {self._endpoint} {how}.", hint)


def _state(answer: object) -> bool | None:
    """What an answer says of the input; None where it says nothing."""
    result = answer.get("result") if isinstance(answer, dict) else None
    state = result.get("state") if isinstance(result, dict) else None
    return state if isinstance(state, bool) else None
