"""Addresses of devices: what is taken, what is refused, and what a connection is pinned to."""

import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from threading import Event as Flag
from time import monotonic, sleep

import pytest

from postern.address import Endpoint, Pinned, check_host, endpoint, is_near, number, numbers_of
from postern.core.errors import Code, PosternError

#: Of the link, of clouds, of many machines, of none; plainly and inside numbers of IPv6.
REFUSED = [
    "169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192",
    "0.0.0.0", "0.0.0.1", "0.255.255.255", "224.0.0.1", "239.255.255.250",  # noqa: S104
    "240.0.0.1",
    "255.255.255.255",
    "::", "fe80::1", "febf::1", "ff02::1", "ff05::1:3", "fd00:ec2::254", "fd20:ce::254",
    "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::ffff:0.0.0.0", "::ffff:100.100.100.200",
    "::169.254.169.254", "::0.0.0.2",
    "64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b::e000:1", "64:ff9b:1::a9fe:a9fe",
    "64:ff9b:1:a9fe:a9:fe00::",
    "2002:a9fe:a9fe::1", "2002:e000:1::",
    "2001:0:a9fe:a9fe::", "2001:0:c000:207:0:0:5601:5601",
    "2001:db8::5efe:169.254.169.254", "fd00::200:5efe:a9fe:a9fe",
    "1::1", "4000::1",
]  # fmt: skip
#: This machine, private networks, everybody's, and a name or two.
TAKEN = [
    "127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.9", "192.168.1.50", "100.64.0.1", "192.0.2.7",
    "8.8.8.8", "169.253.0.1", "::1", "fd12:3456::1", "2001:db8::7", "2a00:1450::1",
    "::ffff:192.168.1.50", "64:ff9b::c0a8:132", "2002:c0a8:132::1",
    "localhost", "gate", "gate.lan", "relay_1.example", "w1", "hub-0x7f.example", "xn--tr-xka.lan",
    "1.example",
]  # fmt: skip
#: What some resolver takes for 127.0.0.1 or for 169.254.169.254, or for a number at all.
ODD = [
    "0x7f.1", "0x7f000001", "2130706433", "127.1", "127.0.1", "0177.0.0.1", "017700000001",
    "0xa9.0xfe.0xa9.0xfe", "2852039166", "0251.0376.0251.0376", "127.0.0.01", "127.0.0.1.",
    "0x", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.0x", "\uff11\uff12\uff17.0.0.1",
    "\u0661\u0662\u0667.\u0660.\u0660.\u0661",
    "fe80::1%eth0", "fd00:ec2::254%1", "::1%lo", "::ffff:0x7f.1", "1:2", "::g", "a:b", ":",
]  # fmt: skip
#: Neither a name nor a number.
NONE = [
    "", ".", "a..b", ".a", "a.", "a b", "a/b", "me@gate", "a\n", "a\0", "gate?", "gate#", "a%41",
    "t\u00fcr.lan", "\u2460\u2461\u2466.0.0.x", "gate\u3002lan", "a" * 64, "a." * 126 + "ab",
]  # fmt: skip


@pytest.mark.parametrize("host", REFUSED)
def test_attack_number_of_the_link_a_cloud_many_or_none(host: str) -> None:
    """Whatever form it is given in; the sentence says so."""
    with pytest.raises(PosternError, match="No device answers at") as caught:
        check_host(host)
    assert Code.INVALID is caught.value.code


@pytest.mark.parametrize("host", TAKEN)
def test_devices_of_this_machine_and_of_private_networks_are_taken(host: str) -> None:
    """That is where they are."""
    check_host(host)


@pytest.mark.parametrize("host", ODD)
def test_attack_number_in_disguise(host: str) -> None:
    """Resolvers read numbers in ways that nobody else does."""
    with pytest.raises(PosternError, match="not written in the usual way"):
        check_host(host)


@pytest.mark.parametrize("host", NONE)
def test_what_is_no_name_is_refused(host: str) -> None:
    """Before any resolver or library makes something of it."""
    with pytest.raises(PosternError, match="A host's name is made of"):
        check_host(host)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.7", "192.0.2.7", 80),
        ("gate.lan:8080", "gate.lan", 8080),
        ("[2001:db8::7]", "2001:db8::7", 80),
        ("[::1]:502", "::1", 502),
    ],
)
def test_endpoint_is_read_from_a_text(text: str, host: str, port: int) -> None:
    """The port is the usual one where none is written, and it is written back as it was."""
    assert Endpoint(host, port) == endpoint(text, 80)
    assert f"{text.removesuffix(f':{port}')}:{port}" == str(endpoint(text, 80))


@pytest.mark.parametrize(
    "text",
    [
        "", ":80", "http://gate", "gate/", "gate:", "gate:0", "gate:65536", "gate:123456",
        "gate:8o", "gate:-1", "::1", "2001:db8::7:80", "[gate]", "[127.0.0.1]", "[::1", "[]:80",
        "[::1]x", "gate:\u0668\u0660", "me:pw@gate", "169.254.169.254:80", "[fe80::1]:80",
        "0x7f.1:80",
    ],
)  # fmt: skip
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    """One sentence of our own, whatever is written."""
    with pytest.raises(PosternError) as caught:
        endpoint(text, 80)
    assert Code.INVALID is caught.value.code


def test_number_is_pinned_without_a_resolver() -> None:
    """It is its own address."""

    def never(_name: str) -> list[str]:
        raise AssertionError

    pinned = Endpoint("::1", 502).pin(never)

    assert Pinned("::1", ip_address("::1"), 502) == pinned
    assert ("[::1]:502", "[::1]:502") == (pinned.netloc, pinned.authority)


def test_name_is_pinned_to_a_number_that_it_has() -> None:
    """The connection goes to the number; the name goes along."""
    pinned = Endpoint("gate.lan", 80).pin(lambda _: ["fd12::1", "192.168.1.50", "192.168.1.51"])

    assert Pinned("gate.lan", ip_address("192.168.1.50"), 80) == pinned
    assert ("192.168.1.50:80", "gate.lan:80") == (pinned.netloc, pinned.authority)


@pytest.mark.parametrize("address", [a for a in REFUSED if ip_address(a).version == 4 or "." in a])
def test_attack_name_that_leads_to_a_number_that_is_refused(address: str) -> None:
    """Also where the other numbers that it has are sound."""
    for found in ([address], ["192.168.1.50", address], [address, "192.168.1.50"]):
        with pytest.raises(PosternError, match="leads to an address of this link") as caught:
            Endpoint("gate.lan", 80).pin(lambda _, found=found: found)  # type: ignore[misc]
        assert Code.UNAVAILABLE is caught.value.code


def test_attack_name_of_the_link_with_its_interface() -> None:
    """As resolvers give it."""
    with pytest.raises(PosternError, match="leads to an address of this link"):
        Endpoint("gate.lan", 80).pin(lambda _: ["fe80::1%2"])


def test_attack_name_that_is_another_machine_when_it_is_looked_up_again() -> None:
    """It is looked up once, checked, and the connection goes where the check looked."""
    answers = iter([["192.168.1.50"], ["169.254.169.254"]])
    pinned = Endpoint("gate.lan", 80).pin(lambda _: next(answers))

    assert "192.168.1.50:80" == pinned.netloc
    with pytest.raises(PosternError, match="leads to an address of this link"):
        Endpoint("gate.lan", 80).pin(lambda _: next(answers))


@pytest.mark.parametrize("found", [[], ["gate.lan"], ["192.168.1.50", "0x7f.1"]])
def test_name_without_an_address_is_unavailable(found: list[str]) -> None:
    """So is one of whom a resolver gives something else."""
    with pytest.raises(PosternError, match="has no address"):
        Endpoint("gate.lan", 80).pin(lambda _: found)


def test_resolver_that_fails_is_one_sentence() -> None:
    """Trying again may help."""

    def failing(_name: str) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(PosternError, match="The name gate.lan has no address") as caught:
        Endpoint("gate.lan", 80).pin(failing)
    assert caught.value.retry_helps


def test_resolver_that_hangs_is_not_waited_for() -> None:
    """However many ask it. Another name is found meanwhile, and this one afterwards."""
    hang = Flag()

    def hanging(_name: str) -> list[str]:
        hang.wait(60)
        return ["192.168.1.50"]

    began = monotonic()
    for _ in range(40):  # More than may be under way.
        with pytest.raises(PosternError, match="was not found within 0.02 s"):
            Endpoint("gate.lan", 80).pin(hanging, 0.02)
    assert monotonic() - began < 20.0
    assert "192.168.1.51:80" == Endpoint("relay.lan", 80).pin(lambda _: ["192.168.1.51"]).netloc

    hang.set()
    until = monotonic() + 20.0
    while monotonic() < until:
        try:
            assert "192.168.1.50:80" == Endpoint("gate.lan", 80).pin(hanging).netloc
            return
        except PosternError:
            continue
    pytest.fail("no look-up was possible afterwards")


def test_name_of_many_devices_is_found_by_all_of_them() -> None:
    """A recorder's cameras are looked up all at once when the service starts."""

    def slow(_name: str) -> list[str]:
        sleep(0.02)
        return ["192.168.1.50"]

    def found(port: int) -> str:
        return Endpoint("recorder.lan", port).pin(slow, 30.0).netloc

    with ThreadPoolExecutor(16) as devices:
        netlocs = list(devices.map(found, range(554, 570)))

    assert [f"192.168.1.50:{port}" for port in range(554, 570)] == netlocs


def test_this_machines_own_resolver_is_asked() -> None:
    """Without another one."""
    assert set(numbers_of("localhost")) <= {"127.0.0.1", "::1"}
    assert Endpoint("localhost", 80).pin().number.is_loopback


@pytest.mark.parametrize("host", TAKEN[: TAKEN.index("localhost")])
def test_near_is_what_no_router_takes_elsewhere(host: str) -> None:
    """In whatever form."""
    far = {"8.8.8.8", "169.253.0.1", "2a00:1450::1"}

    assert (host not in far) is is_near(ip_address(host))


@pytest.mark.parametrize("host", ["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"])
def test_far_number_inside_another_is_far(host: str) -> None:
    """Python takes the first for a private one."""
    assert not is_near(ip_address(host))


def test_number_tells_names_from_numbers() -> None:
    """A name is none."""
    assert None is number("gate.lan")
    assert ip_address("192.0.2.7") == number("192.0.2.7")
