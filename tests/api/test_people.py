"""People over the network."""

from datetime import UTC, datetime, timedelta

import pytest

from postern.core.role import Role
from tests.api.registry import WHY, Desk, faults

ZOE = "/people/p-zoe"


def test_people_are_listed_and_found_by_name(desk: Desk) -> None:
    """By name, with until when they agree; capitals and marks make no difference."""
    omer, zoe = desk.get("/people")["items"]

    assert ("Ömer", "Zoe", "p-zoe") == (omer["name"], zoe["name"], zoe["id"])
    until = datetime.fromisoformat(zoe["consent_until"])
    assert until - datetime.now(UTC) > timedelta(days=364)
    assert {"id", "name", "consent_until"} == zoe.keys()
    assert [omer] == desk.get("/people", params={"name": "OME"})["items"]
    assert [] == desk.get("/people", params={"name": "%"})["items"]
    assert zoe == desk.get(ZOE)


def test_person_is_called_otherwise(desk: Desk) -> None:
    """Who did it is recorded, and what they were called before is nowhere."""
    answer = desk.changed("PATCH", ZOE, json={"name": "Zoé Ionescu"}, role=Role.ENROLLER)

    assert (200, "Zoé Ionescu") == (answer.status_code, answer.json()["name"])
    assert answer.headers["ETag"] == desk.version(ZOE)["If-Match"]
    assert "person renamed by user:enroller" == desk.events()[0]
    assert ["p-zoe"] == [one["id"] for one in desk.get("/people?name=zoe i")["items"]]


@pytest.mark.parametrize("name", ["", " ", " Zoe", "a" * 121, "a\nb", "\u202eeoZ", 7, None])
def test_name_that_is_none_is_refused(desk: Desk, name: object) -> None:
    """And nothing is changed."""
    answer = desk.changed("PATCH", ZOE, json={"name": name})

    assert {"name"} == faults(answer).keys()
    assert "Zoe" == desk.get(ZOE)["name"]


def test_nothing_else_about_a_person_can_be_said(desk: Desk) -> None:
    """Neither a trait nor a note; and nobody is made without consenting, live."""
    for body in ({"name": "Zoe", "age": 40}, {"name": "Zoe", "note": "likes tea"}, {"id": "p-x"}):
        assert 422 == desk.changed("PATCH", ZOE, json=body).status_code
    assert 405 == desk.call("POST", "/people", json={"name": "Mallory"}).status_code


def test_person_is_forgotten_with_a_receipt(desk: Desk) -> None:
    """By whom is recorded; the receipt counts what was destroyed and is signed by the site."""
    permit = {"people": ["p-zoe"], "access_points": ["door"]}
    assert 201 == desk.call("POST", "/permits", json=permit).status_code
    answer = desk.changed("DELETE", f"{ZOE}?locale=de", at=ZOE)
    gone = answer.json()

    assert (200, 1, 1, 1, 1) == (
        answer.status_code, gone["keys"], gone["references"], gone["consents"], gone["permits"],
    )  # fmt: skip
    assert "Zoe" in gone["receipt"]
    assert '<html lang="de">' in gone["receipt"]
    assert ["erased", "person to be forgotten by user:administrator"] == desk.events()[:2]
    assert 404 == desk.call("GET", ZOE).status_code
    assert not desk.site.vault.keyed() & {("p-zoe", "face")}
    assert [] == desk.get("/permits")["items"]


def test_person_is_not_forgotten_by_those_who_have_not_read(desk: Desk) -> None:
    """Without a version, with an old one, or in a language that there is none of."""
    old = desk.version(ZOE)
    desk.changed("PATCH", ZOE, json={"name": "Zoe B."})

    assert 428 == desk.call("DELETE", ZOE).status_code
    assert 412 == desk.call("DELETE", ZOE, headers=old).status_code
    assert {"locale"} == faults(desk.changed("DELETE", f"{ZOE}?locale=xx", at=ZOE)).keys()
    assert "Zoe B." == desk.get(ZOE)["name"]
    assert {"p-zoe", "p-ömer"} == {owner for owner, _ in desk.site.vault.keyed()}


def test_consents_are_shown_in_the_words_that_were_agreed_to(desk: Desk) -> None:
    """Of one person, and each by itself."""
    (consent,) = desk.get(f"{ZOE}/consents")["items"]
    text = desk.get(f"/consents/{consent['id']}/text?locale=de")

    assert consent == desk.get(f"/consents/{consent['id']}")
    assert ("p-zoe", ["door"], "roster", None) == (
        consent["person"], consent["access_points"], consent["mode"], consent["withdrawn"],
    )  # fmt: skip
    assert any("Six people live here" in part["text"] for part in text["text"])
    wrong = desk.call("GET", f"/consents/{consent['id']}/text?locale=xx")
    assert {"locale": "There are no texts in that language."} == faults(wrong)


@pytest.mark.parametrize("whole", [True, False])
def test_consent_is_taken_back(desk: Desk, whole: bool) -> None:
    """All of a person's or one; the reference that it covered is destroyed, and it is recorded."""
    (consent,) = desk.get(f"{ZOE}/consents")["items"]
    path = f"{ZOE}/withdrawal" if whole else f"/consents/{consent['id']}/withdrawal"
    answer = desk.call("POST", path, json={"asked_by": "person"}, role=Role.ENROLLER)
    shown = answer.json()["items"][0] if whole else answer.json()

    assert (200, consent["id"]) == (answer.status_code, shown["id"])
    assert shown["withdrawn"] is not None
    what = "consents withdrawn" if whole else "consent withdrawn"
    assert [f"{what} by user:enroller", "withdrawn"] == desk.events()[:2]
    assert [] == desk.get("/credentials?holder=p-zoe")["items"]
    assert desk.get(ZOE)["consent_until"] is None
    again = desk.call("POST", path, json={})
    assert (200, 2) == (again.status_code, desk.events().count("withdrawn") + 1)


def test_record_of_a_person_is_given_for_a_reason(desk: Desk) -> None:
    """Who asked, and why, stands in it; without a reason nobody is told anything."""
    for reason in ("", "short", "a" * 201, "not\x07printable at all"):
        answer = desk.call("GET", f"{ZOE}/record", params={"reason": reason})
        assert {"reason"} == faults(answer).keys()
    assert {"reason"} == faults(desk.call("GET", f"{ZOE}/record")).keys()
    assert "viewed" not in desk.events()

    record = desk.get(f"{ZOE}/record", params={"reason": WHY}, role=Role.AUDITOR)
    assert {"id": "p-zoe", "name": "Zoe"} == record["person"]
    assert ("viewed", "user:auditor", f"exported: {WHY}") == tuple(
        record["events"][-1][name] for name in ("kind", "by", "why")
    )
    assert "viewed" == desk.events()[0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("GET", "/consents"), ("GET", f"/record?reason={WHY}"),
        ("POST", "/withdrawal"), ("PATCH", ""), ("DELETE", ""),
    ],
)  # fmt: skip
def test_nobody_is_not_found(desk: Desk, method: str, path: str) -> None:
    """Whatever is asked about them; and nothing is recorded."""
    before = desk.events()
    body = {"PATCH": {"name": "X"}, "POST": {}}.get(method)
    answer = desk.call(method, f"/people/p-nobody{path}", headers={"If-Match": "*"}, json=body)

    assert (404, "urn:postern:problem:not-found") == (answer.status_code, answer.json()["type"])
    assert before == desk.events()
