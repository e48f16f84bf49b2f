"""A channel of a device by Shelly, driven by its RPC over HTTP."""

import json
from http import HTTPStatus
from itertools import count
from time import monotonic
from typing import Any

import httpx

from postern.actuators.exchange import Exchange, Reply
from postern.core.errors import PosternError

#: The only user that there is.
USER = "admin"
#: Seconds for whatever is asked of the device at a time, the two questions of a pulse together.
TIMEOUT_S = 0.9
#: Seconds. Of a timer of nothing nobody could say what a device takes it for.
SHORTEST_S = 0.1


class ShellyRelay:
    """One channel. The device times its pulses (`toggle_after`).

    Args:
        exchange: The device's RPC.
        channel: Which relay.
        password: The user's; None where the device asks for none.
    """

    def __init__(self, exchange: Exchange, channel: int, password: str | None) -> None:
        self._exchange = exchange
        self._channel = channel
        self._password = password
        self._ids = count(1)

    def switch(self, on: bool) -> None:
        """Switches the channel, until somebody switches it again.

        Raises:
            PosternError: `unavailable` where the device does not say that it did.
        """
        self._set({"on": on}, monotonic() + TIMEOUT_S)

    def is_on(self) -> bool:
        """Whether the channel is on.

        Raises:
            PosternError: `unavailable` where the device does not say.
        """
        output = self._status(monotonic() + TIMEOUT_S).get("output")
        if not isinstance(output, bool):
            raise self._exchange.failed("does not say whether its relay is on")
        return output

    def pulse(self, hold_s: float, within_s: float = TIMEOUT_S) -> None:
        """Has the device switch the channel on for so many seconds, and asks whether it does.

        Raises:
            PosternError: `unavailable` where it does not say so, or would never switch it off.
        """
        began, hold_s = monotonic(), max(round(hold_s, 2), SHORTEST_S)
        self._set({"on": True, "toggle_after": hold_s}, began + within_s)
        status = self._status(began + within_s)
        if status.get("output") is False and monotonic() - began >= hold_s:
            return  # It has ended by now.
        if status.get("output") is not True:
            raise self._exchange.failed("was told to open, and does not say that it did")
        if not _runs_out(status.get("timer_duration")):
            self.switch(False)
            raise self._exchange.failed("opened without a timer, and was closed again")

    def _set(self, how: dict[str, object], until: float) -> None:
        result = self._call("Switch.Set", how, until)
        if not isinstance(result.get("was_on"), bool):
            raise self._exchange.failed("answered something else")

    def _status(self, until: float) -> dict[str, Any]:
        result = self._call("Switch.GetStatus", {}, until)
        if result.get("id") != self._channel:
            raise self._exchange.failed("answered something else")
        return result

    def _call(self, method: str, params: dict[str, object], until: float) -> dict[str, Any]:
        """The result of a method of the channel's."""
        number = next(self._ids)
        body = {"id": number, "method": method, "params": {"id": self._channel, **params}}
        # A device accepts an answer to one question only, before firmware 2.0.
        auth = None if self._password is None else httpx.DigestAuth(USER, self._password)
        left = max(until - monotonic(), 0.001)
        reply = self._exchange.post(json.dumps(body).encode(), {}, left, auth)
        return self._result(reply, number)

    def _result(self, reply: Reply, number: int) -> dict[str, Any]:
        if reply.status != HTTPStatus.OK:
            raise self._refused(reply.status)
        try:
            answer = json.loads(reply.body)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict) or answer.get("id") != number:
            raise self._exchange.failed("answered something else")
        error, result = answer.get("error"), answer.get("result")
        if isinstance(error, dict) and isinstance(error.get("code"), int):
            raise self._exchange.failed(f"refused (error {error['code']})")
        if not isinstance(result, dict):
            raise self._exchange.failed("answered something else")
        return result

    def _refused(self, status: int) -> PosternError:
        if status == HTTPStatus.UNAUTHORIZED:
            return self._exchange.failed(
                "asks for a password, which the site does not have"
                if self._password is None
                else "does not take the password"
            )
        return self._exchange.failed(f"answered with status {status}")


def _runs_out(timer_s: object) -> bool:
    """Whether that is the length of a timer; true is no number."""
    return isinstance(timer_s, int | float) and not isinstance(timer_s, bool) and timer_s > 0.0
