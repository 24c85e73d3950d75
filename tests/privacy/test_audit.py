from resonare_pipeline.privacy.audit import audit
from resonare_pipeline.privacy.kinds import PLACEHOLDERS, Kind
from resonare_pipeline.privacy.people import label_people
from resonare_pipeline.privacy.settings import PrivacySettings

PEOPLE = label_people([("a", ("Maya Smith",))], PrivacySettings())


def test_audit_of_placeholders_and_clean_text_is_empty() -> None:
    text = " ".join([*PLACEHOLDERS.values(), "[PERSON_1]", "see you at 12:30 on 3 May"])
    assert audit(text, PEOPLE, ("bad",)) == {}


def test_audit_tells_what_redaction_would_find() -> None:
    text = "Maya: a@example.com, +1 202 555 0143, bad"
    assert audit(text, PEOPLE, ("bad",)) == {
        Kind.PERSON: 1,
        Kind.EMAIL: 1,
        Kind.PHONE: 1,
        Kind.WORD: 1,
    }


def test_audit_tells_weaker_suspicions_by_kind() -> None:
    assert audit("555 1234") == {Kind.PHONE: 1}
    assert audit("4111 1111 1111 1112") == {Kind.CARD: 1}
    assert audit("@everyone") == {Kind.HANDLE: 1}
    assert audit("v10.20.30.40 1.2.3.4") == {Kind.IP: 1}
    assert audit("3f786850e387550fdab836ed7e6dc881de23001b") == {Kind.SECRET: 1}
    assert audit("#MayasBirthday", PEOPLE) == {Kind.PERSON: 1}
