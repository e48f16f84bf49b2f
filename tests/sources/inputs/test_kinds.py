"""What is each kind's own; what all of them must do is in contracts/test_input.py."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from postern.core.errors import Code, PosternError
from postern.core.signal import Signal
from postern.sources.inputs.modbus.config import Config as ModbusConfig
from postern.sources.inputs.modbus.config import Table
from postern.sources.inputs.modbus.input import ModbusInput
from postern.sources.inputs.mqtt.config import Config as MqttConfig
from postern.sources.inputs.mqtt.input import MqttInput
from postern.sources.inputs.shelly.config import Config as ShellyConfig
from postern.sources.inputs.shelly.input import ShellyInput
from tests.clocks import MachineClock
from tests.contracts.test_input import following, heard
from tests.needs import missing
from tests.sources.inputs.peers import TOPIC, ModbusDevice, Mosquitto, ShellyDevice

HOST, CLOCK = "127.0.0.1", MachineClock()
SECRET = "open-sesame"  # noqa: S105 - of a device that this test starts


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path / "broker")
    made.start()
    yield made
    made.kill()


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n", "utf-8")
    file.chmod(0o600)
    return file


def contact(broker: Mosquitto, **more: object) -> MqttInput:
    """What is published at the topic of the first contact."""
    at = f"{HOST}:{broker.port}"
    config = MqttConfig(address=at, topic=f"{TOPIC}/0", **more)  # type: ignore[arg-type]
    return MqttInput(config, "contact", CLOCK)


def first(source: ModbusInput | MqttInput | ShellyInput) -> Signal:
    """What it says first."""
    signals = source.signals()
    try:
        found = next(signals) or next(signals)
        assert found is not None
        return found
    finally:
        source.close()


def refused(source: ModbusInput | MqttInput | ShellyInput) -> str:
    """The sentence with which it says that it knows nothing."""
    with pytest.raises(PosternError) as error:
        first(source)
    assert Code.UNAVAILABLE is error.value.code
    assert SECRET not in str(error.value)
    return str(error.value)


def test_modbus_reads_coils_and_discrete_inputs_by_their_numbers(tmp_path: Path) -> None:
    """The neighbours' states are not its own; an input that is not there is told."""
    device = ModbusDevice(tmp_path)
    device.start()
    try:
        device.set(True, at=3)
        for table in Table:
            configs = [ModbusConfig(f"{HOST}:{device.port}", at, table=table) for at in (2, 3, 4)]
            found = [first(ModbusInput(config, "in", CLOCK)) for config in configs]
            assert [False, True, False] == [signal.active for signal in found]
        nowhere = ModbusConfig(f"{HOST}:{device.port}", 999)
        assert "no discrete input 999" in refused(ModbusInput(nowhere, "in", CLOCK))
        stranger = ModbusConfig(f"{HOST}:{device.port}", 0, device_id=9)
        assert "device 9" in refused(ModbusInput(stranger, "in", CLOCK))
    finally:
        device.kill()


def test_modbus_sees_a_button_that_is_pressed_for_a_moment(tmp_path: Path) -> None:
    """A fifth of a second; pressed and let go are both told, and both are news."""
    device = ModbusDevice(tmp_path)
    device.start()
    try:
        with heard(ModbusInput(ModbusConfig(f"{HOST}:{device.port}", 0), "button", CLOCK)) as queue:
            following(queue)
            device.set(True)
            time.sleep(0.2)
            device.set(False)
            presses = [following(queue), following(queue)]
        assert [(True, True), (False, True)] == [(one.active, one.live) for one in presses]
    finally:
        device.kill()


def test_shelly_with_a_password_is_read_with_it_only(tmp_path: Path, password: Path) -> None:
    """By digest; a wrong one, or none, is told without showing it."""
    device = ShellyDevice(tmp_path / "device", SECRET)
    device.start()
    try:
        device.set(True)
        config = ShellyConfig(f"{HOST}:{device.port}", 0, password)
        assert first(ShellyInput(config, "in", CLOCK)).active
        bare = ShellyConfig(f"{HOST}:{device.port}", 0)
        assert "asks for another password" in refused(ShellyInput(bare, "in", CLOCK))
        password.write_text("wrong", "utf-8")
        assert "asks for another password" in refused(ShellyInput(config, "in", CLOCK))
        password.unlink()
        assert "cannot be read" in refused(ShellyInput(config, "in", CLOCK))
    finally:
        device.kill()


def test_shelly_without_such_an_input_is_told(tmp_path: Path) -> None:
    """By the input's number."""
    device = ShellyDevice(tmp_path)
    device.start()
    try:
        config = ShellyConfig(f"{HOST}:{device.port}", 77)
        assert "its input 77" in refused(ShellyInput(config, "in", CLOCK))
    finally:
        device.kill()


def test_mqtt_retained_state_is_found_and_not_news(broker: Mosquitto) -> None:
    """What the broker had kept may be a press of last week; what is published now is one of now."""
    broker.say("on", retain=True)
    with heard(contact(broker)) as queue:
        found = following(queue)
        assert (True, False) == (found.active, found.live)
        broker.say("off", retain=True)
        assert following(queue).live


def test_mqtt_without_a_retained_state_knows_nothing_until_it_is_told(broker: Mosquitto) -> None:
    """The first word is news then: a button that only ever speaks when it is pressed."""
    with heard(contact(broker)) as queue:
        time.sleep(0.5)
        assert queue.get(timeout=5) is None
        assert queue.empty()
        broker.say("on", retain=False)
        pressed = following(queue)
        assert (True, True) == (pressed.active, pressed.live)


def test_mqtt_reads_a_field_of_json_and_words_of_the_sites_own(broker: Mosquitto) -> None:
    """As sensors by radio publish it; a contact that is closed says true."""
    source = contact(broker, field="contact", on="true", off="false", inverted=True)
    with heard(source) as queue:
        time.sleep(0.3)
        for said, active in (("true", False), ("false", True)):
            broker.say(f'{{"battery": 97, "contact": {said}}}')
            assert active is following(queue).active


@pytest.mark.parametrize("said", ["ON", "{}", "\ud7ff\0", "on" * 9999, "[" * 9999])
@pytest.mark.parametrize("field", [None, "state"])
def test_mqtt_message_that_is_no_state_is_told(broker: Mosquitto, said: str, field: str) -> None:
    """In red, since nobody knows what the contact is then."""
    broker.say(said)

    assert "neither on nor off" in refused(contact(broker, field=field))


def test_mqtt_message_that_takes_back_what_was_retained_is_none(broker: Mosquitto) -> None:
    """It is empty."""
    with heard(contact(broker)) as queue:
        time.sleep(0.3)
        broker.say("")
        broker.say("on")
        assert following(queue).active


def test_mqtt_of_another_topic_is_not_heard(broker: Mosquitto) -> None:
    """Not even below its own."""
    with heard(contact(broker)) as queue:
        time.sleep(0.3)
        broker.say("on", topic=f"{TOPIC}/0/more")
        broker.say("on", at=1)
        broker.say("off")
        assert not following(queue).active


def test_mqtt_broker_that_asks_who_we_are(tmp_path: Path, password: Path) -> None:
    """It lets in with username and password, and nobody else; and not everybody to every topic."""
    users = tmp_path / "users"
    # `gate` with the password of this test, as mosquitto_passwd writes it.
    users.write_text(f"gate:{SECRET}\n", "utf-8")
    users.chmod(0o700)
    _hash_passwords(users)
    (tmp_path / "rules").write_text(f"user gate\ntopic readwrite {TOPIC}/0\n", "utf-8")
    (tmp_path / "rules").chmod(0o700)
    settings = f"allow_anonymous false\npassword_file {users}\nacl_file {tmp_path / 'rules'}\n"
    broker = Mosquitto(tmp_path / "broker", settings)
    broker.start()
    try:
        assert "does not let us in" in refused(contact(broker))
        with heard(contact(broker, user="gate", password_file=password)) as queue:
            assert queue.get(timeout=5) is None
            time.sleep(0.3)
            assert queue.empty()
        password.write_text("wrong", "utf-8")
        known = contact(broker, user="gate", password_file=password)
        assert "does not let us in" in refused(known)
    finally:
        broker.kill()


def test_mqtt_settings_that_mean_nothing_are_refused() -> None:
    """Wildcards, one word for both states, a password of nobody."""
    for wrong in (
        {"topic": "a/#"},
        {"topic": ""},
        {"on": "x", "off": "x"},
        {"password_file": Path("p")},
    ):
        with pytest.raises(PosternError):
            MqttConfig(**{"address": HOST, "topic": "t", **wrong})  # type: ignore[arg-type]


def test_passwords_show_nowhere(password: Path) -> None:
    """Only the name of their file does."""
    for config in (
        ShellyConfig(HOST, password_file=password),
        MqttConfig(address=HOST, topic="t", user="gate", password_file=password),
    ):
        assert SECRET not in repr(config)


def _hash_passwords(users: Path) -> None:
    program = shutil.which("mosquitto_passwd")
    if program is None:
        missing("mosquitto_passwd")
    subprocess.run([program or "", "-U", users], check=True, timeout=30)
