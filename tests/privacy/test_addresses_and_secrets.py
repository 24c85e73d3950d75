import pytest

from resonare_pipeline.privacy.redaction import Redactor
from resonare_pipeline.privacy.settings import PrivacySettings


def redact(text: str) -> str:
    return Redactor(PrivacySettings()).redact(text).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mailto:a.b+c@example.co.uk.", "mailto:[EMAIL]."),
        ("<müller@münchen.example>", "<[EMAIL]>"),
        ("maya (at) example (dot) com!", "[EMAIL]!"),
        ("maya at example dot com", "[EMAIL]"),
        ("git@github.com:org/repo", "git@github.com:org/repo"),
        ("a@b, 3 @ 10", "a@b, 3 @ 10"),
    ],
)
def test_emails(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://u:p@example.com/x, ok", "[URL], ok"),
        ("(https://example.com/?id=1&token=abcdef)", "([URL])"),
        ("t.me/joinchat/AbCd12", "[URL]"),
        ("https://example.com/?page=2", "https://example.com/?page=2"),
        ("https://example.com/call/0171-2345678", "https://example.com/call/0171-2345678"),
    ],
)
def test_urls_that_open_something(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask @maya_dev. (@bob)", "ask [HANDLE]. ([HANDLE])"),
        ("@user@social.example", "[HANDLE]"),
        ("https://instagram.com/maya.s?x=1", "https://instagram.com/[HANDLE]"),
        ("https://x.com/maya/status/12345", "https://x.com/[HANDLE]"),
        ("https://github.com/maya", "https://github.com/[HANDLE]"),
        ("https://github.com/org/repo", "https://github.com/org/repo"),
        ("https://t.me/addstickers/cats", "https://t.me/addstickers/cats"),
        ("snap: maya99, line 12", "snap: [HANDLE], line 12"),
        ("@5pm @home @everyone npm i @types/node", "@5pm @home @everyone npm i @types/node"),
    ],
)
def test_handles(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password: hunter2", "password: [SECRET]"),
        ("пароль - qwerty1, ок?", "пароль - [SECRET], ок?"),
        ("wifi密码是abc123", "wifi密码是[SECRET]"),
        ("the password of our wifi is Haus2024!", "the password of our wifi is [SECRET]"),
        ("password=s3cr3t&x", "password=[SECRET]"),
        ("PIN: 4711", "PIN: [SECRET]"),
        ("pin: 52.520008, 13.404954", "pin: 52.520008, 13.404954"),
        ("password is wrong, password: please reset", "password is wrong, password: please reset"),
        ("Bearer abcDEF123ghiJKL456mno", "Bearer [SECRET]"),
        ("glpat-nLqrjUrPQIPQgVGYgdOt", "[SECRET]"),
        ("eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.sig-na_ture", "[SECRET]"),
        ("so AbC9xYz8WqP7mNb5V2kL1j.", "so [SECRET]."),
        ("3f786850e387550fdab836ed7e6dc881de23001b", "3f786850e387550fdab836ed7e6dc881de23001b"),
        ("123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
        ("getElementById42AndThenSomethingElse", "getElementById42AndThenSomethingElse"),
    ],
)
def test_secrets(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_private_key_goes_whole_and_one_that_is_cut_off_to_the_end() -> None:
    head, foot = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
    body = "Proc-Type: 4,ENCRYPTED\n\nMIIEow=="
    assert redact(f"a {head}\n{body}\n{foot} b") == "a [SECRET] b"
    assert redact(f"a {head}\n{body}") == "a [SECRET]"
