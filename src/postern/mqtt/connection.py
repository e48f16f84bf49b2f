"""A connection to an MQTT broker that comes back by itself, and of which nothing comes late.

1. Every connection is a new client of paho's: what was not acknowledged dies with it, and is never
   sent again when the broker is back and nobody expects it any more.
2. `publish` says whether the broker took a message; MQTT 5 also says whether anybody listens.
3. Nothing waits without a limit, and nothing is queued for a broker that is away.
"""

import ssl
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from time import monotonic

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from postern.core.errors import Code, PosternError
from postern.mqtt.words import Broker, Message, Subscription
from postern.secret import read_password

#: Seconds until a broker has to have taken a connection, and then have said so.
CONNECT_S = 5.0
#: Seconds; a broker takes us for dead after one and a half of it without a word, and we it.
KEEPALIVE_S = 4
#: Seconds until the next try after the first failure, and at most.
FIRST_WAIT_S, MOST_WAIT_S = 1.0, 30.0
#: Bytes. No message that concerns a door is larger; the broker is told.
MOST_BYTES = 64 * 1024
#: What a broker answers with success: the message was right, and went nowhere.
_NOBODY = "says that nobody listens there"


class Connection:
    """One connection to a broker. `start` begins it; callbacks come from its threads.

    Args:
        broker: Which broker.
        tell: Told the state (`ok` or `red`) and one sentence, whenever that changes.
        will: What the broker publishes when this process or the connection dies.
        subscriptions: What is listened to.
        heard: Told every message; it must not wait.
        came: Called whenever a connection stands and is listening; it must not wait.
    """

    def __init__(
        self,
        broker: Broker,
        tell: Callable[[str, str], None],
        *,
        will: Message | None = None,
        subscriptions: tuple[Subscription, ...] = (),
        heard: Callable[[Message], None] = lambda _message: None,
        came: Callable[[], None] = lambda: None,
    ) -> None:
        self._broker = broker
        self._tell = tell
        self._will = will
        self._subscriptions = subscriptions
        self._heard = heard
        self._came = came
        self._turn = Lock()  # Held by whoever publishes.
        self._answers: SimpleQueue[tuple[object, int, str]] = SimpleQueue()
        self._client: Client | None = None
        self._up, self._gone, self._stop = Event(), Event(), Event()
        self._settled = Event()  # Whether it is up or gone.
        self._why = ""
        self._told: tuple[str, str] | None = None
        self._failures = 0
        self._thread = Thread(target=self._run, name=f"mqtt {broker.endpoint}", daemon=True)

    def start(self) -> None:
        """Begins to connect."""
        self._thread.start()

    def close(self) -> None:
        """Ends the connection in good order, without its will; within a second, also twice."""
        self._stop.set()
        self._end()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def publish(self, message: Message, within_s: float, *, lives_s: int | None = None) -> None:
        """Publishes a message, at least once, and waits until the broker has it.

        Args:
            message: What.
            within_s: Seconds to wait for the connection and the broker's answer together.
            lives_s: Seconds after which the broker delivers it to nobody any more.

        Raises:
            PosternError: `unavailable` where the broker did not take it in time, or says that
                nobody listens there. It will not be published later.
        """
        until_s = monotonic() + within_s
        if not self._turn.acquire(timeout=within_s):
            raise self._fault("has not taken the last message yet")
        try:
            self._publish(message, until_s, lives_s)
        finally:
            self._turn.release()

    def _publish(self, message: Message, until_s: float, lives_s: int | None) -> None:
        red = self._told is not None and self._told[0] == "red"
        if not self._up.wait(0.0 if red else max(0.0, until_s - monotonic())):
            raise _unavailable(self._told[1]) if red and self._told else self._fault("is not there")
        client = self._client
        if client is None:
            raise self._fault("is not there")
        info = client.publish(message.topic, message.payload, 1, message.retain, _expiring(lives_s))
        failure = self._answer(client, info.mid, until_s)
        if failure is None:
            # Whether it took effect is not known; it must not take effect later.
            self._why = self._why or "did not take a message in time"
            self._end()
            raise self._fault("did not take a message in time")
        if failure and not (message.retain and failure == _NOBODY):
            raise self._fault(failure)

    def _answer(self, client: Client, mid: int, until_s: float) -> str | None:
        """What is wrong with that message, nothing where it was taken; None without an answer."""
        while not self._gone.is_set():
            try:
                answered, number, failure = self._answers.get(
                    timeout=max(0.0, until_s - monotonic())
                )
            except Empty:
                return None
            if answered is client and number == mid:
                return failure
        return None

    def _run(self) -> None:
        try:
            self._keep()
        finally:
            if not self._stop.is_set():  # The thread ends by what nobody foresaw; it is told.
                self._say("red", str(self._fault("is not asked any more: the connection failed")))

    def _keep(self) -> None:
        while not self._stop.is_set():
            for event in (self._up, self._gone, self._settled):
                event.clear()
            if self._stop.is_set():
                return
            try:
                self._serve()
            except (PosternError, OSError, ValueError) as error:
                self._failures += 1
                self._say("red", self._reason(error))
            self._up.clear()
            doublings = min(max(self._failures - 1, 0), 8)
            self._stop.wait(min(MOST_WAIT_S, FIRST_WAIT_S * 2**doublings))

    def _serve(self) -> None:
        """One connection from its beginning to its end."""
        client = self._made()
        self._why = ""
        pinned = self._broker.endpoint.pin()
        # With a certificate the broker proves its name, wherever that leads.
        host = pinned.host if self._broker.tls else str(pinned.number)
        client.connect(host, pinned.port, KEEPALIVE_S, properties=_connecting())
        self._client = client
        client.loop_start()
        try:
            self._settled.wait(CONNECT_S)
            if self._up.is_set():
                self._gone.wait()
            if not self._stop.is_set() or self._why:
                raise self._fault(self._why or "took the connection and says nothing")
            client.disconnect()
        finally:
            self._client = None
            _let_go(client)

    def _made(self) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5, reconnect_on_failure=False)
        client.connect_timeout = CONNECT_S
        client.max_queued_messages_set(16)
        if self._broker.user is not None and self._broker.password_file is not None:
            password = read_password(self._broker.password_file)
            client.username_pw_set(self._broker.user, password)
        if self._broker.tls:
            client.tls_set(ca_certs=None if self._broker.ca is None else str(self._broker.ca))
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, 1, self._will.retain)
        client.on_connect = self._connected
        client.on_disconnect = self._lost
        client.on_subscribe = self._subscribed
        client.on_publish = self._taken
        client.on_message = self._received
        return client

    def _connected(
        self,
        client: Client,
        _data: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _props: object,
    ) -> None:
        if reason.is_failure:
            # "Not authorized" is what brokers say to a wrong password, too.
            self._why = f"refuses the connection: {str(reason).lower()}"
            self._end()
        elif self._subscriptions:
            client.subscribe([(one.topic, _options(one)) for one in self._subscriptions])
        else:
            self._stands()

    def _subscribed(
        self,
        _client: Client,
        _data: object,
        _mid: int,
        reasons: list[ReasonCode],
        _props: object,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._why = "does not let this user listen where it has to"
            self._end()
        else:
            self._stands()

    def _stands(self) -> None:
        self._failures = 0
        self._say("ok", f"The broker {self._broker.endpoint} is connected.")
        self._up.set()
        self._settled.set()
        self._came()

    def _end(self) -> None:
        """Has the connection let go of."""
        self._gone.set()
        self._settled.set()
        self._answers.put((None, 0, ""))  # Nobody goes on waiting for an answer.

    def _lost(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        _reason: ReasonCode,
        _props: object,
    ) -> None:
        self._why = self._why or "ended the connection"
        self._end()

    def _taken(
        self,
        client: Client,
        _data: object,
        mid: int,
        reason: ReasonCode,
        _props: object,
    ) -> None:
        self._answers.put((client, mid, _failure(reason)))

    def _received(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        # A topic that is no text would end the library's thread, and nobody would hear any more.
        with suppress(UnicodeDecodeError):
            if len(message.payload) <= MOST_BYTES:
                self._heard(Message(message.topic, bytes(message.payload), bool(message.retain)))

    def _reason(self, error: Exception) -> str:
        if isinstance(error, PosternError):
            return str(error)
        if isinstance(error, ssl.SSLCertVerificationError):
            return str(self._fault("shows a certificate that is not trusted"))
        if isinstance(error, OSError) and error.strerror:
            return str(self._fault(f"cannot be reached: {error.strerror}"))
        return str(self._fault("cannot be reached"))

    def _fault(self, what: str) -> PosternError:
        return _unavailable(f"The broker {self._broker.endpoint} {what}.")

    def _say(self, state: str, sentence: str) -> None:
        if (state, sentence) != self._told:
            self._told = (state, sentence)
            self._tell(state, sentence)


def _unavailable(message: str) -> PosternError:
    return PosternError(Code.UNAVAILABLE, message)


def _failure(reason: ReasonCode) -> str:
    if reason.getName() == "No matching subscribers":
        return _NOBODY
    return f"refuses the message: {str(reason).lower()}" if reason.is_failure else ""


def _options(one: Subscription) -> SubscribeOptions:
    handling = (
        SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE
        if one.kept
        else SubscribeOptions.RETAIN_DO_NOT_SEND
    )
    return SubscribeOptions(qos=1, retainAsPublished=one.flagged, retainHandling=handling)


def _connecting() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = MOST_BYTES
    return properties


def _expiring(lives_s: int | None) -> Properties | None:
    if lives_s is None:
        return None
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = lives_s
    return properties


def _let_go(client: Client) -> None:
    """Ends a client's thread and its connection, and waits for that.

    Where it was not ended in good order before, the broker sends its will: what was not
    acknowledged may have taken effect, and nobody knows whether there is a next connection.
    """
    client.on_connect = client.on_disconnect = client.on_message = None
    client.on_publish = client.on_subscribe = None
    if client.is_connected():
        client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
    client.loop_stop()
