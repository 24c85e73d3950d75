import pytest

from resonare_pipeline.errors import SettingsError
from resonare_pipeline.privacy.redaction import Redactor
from resonare_pipeline.privacy.settings import PrivacySettings


def redact(text: str, *regions: str) -> str:
    return Redactor(PrivacySettings(regions=regions)).redact(text).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tel:+1-202-555-0143;ext=12 now", "tel:[PHONE] now"),
        ("+1 (202) 555-0143 ext. 12", "[PHONE]"),
        ("0171-2345678 / 0171-2345679", "[PHONE] / [PHONE]"),
        ("+12025550143,+442079460958", "[PHONE],[PHONE]"),
        ("手机13812345678", "手机[PHONE]"),
        ("٠٥٠١٢٣٤٥٦٧", "[PHONE]"),
        ("\u202a+1\u00a0202\u200b 555\u202f0143\u202c!", "\u202a[PHONE]\u202c!"),
        ("wa.me/12025550143", "wa.me/[PHONE]"),
        ("call 9161234567", "call [PHONE]"),
        ("room 12, 0171 2345678 from 18:00", "room 12, [PHONE] from 18:00"),
        ("on 12.05.2024 0171 2345678", "on 12.05.2024 [PHONE]"),
    ],
)
def test_phone_numbers_are_found_with_no_region_set(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_phone_number_in_groups_counts_where_its_region_is_set() -> None:
    assert redact("32 12 34 56") == "32 12 34 56"
    assert redact("32 12 34 56", "DK") == "[PHONE]"
    assert redact("32 12 34 56", "US") == "32 12 34 56"


@pytest.mark.parametrize(
    "text",
    [
        "order 0171 2345678",
        "#89161234567",
        "512 345 678 zł",
        "12.05.2024 14.30",
        "978-3-16-148410-0",
        "10.0.19041.1234",
        "52.520008, 13.404954",
        "1731412345 and 1731412345678",
    ],
)
def test_other_numbers_are_no_phone_numbers_whatever_the_region(text: str) -> None:
    assert redact(text) == text
    assert redact(text, "US", "DE", "RU", "PL", "FR", "DK") == text


def test_unknown_region_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(SettingsError, match=r"privacy\.regions: 'XX' is no region"):
        Redactor(PrivacySettings(regions=("XX",)))


def test_region_in_small_letters_is_refused() -> None:
    with pytest.raises(ValueError, match="two capital letters"):
        PrivacySettings(regions=("de",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4111 1111 1111 1111 12/27 cvv 123", "[CARD] 12/27 cvv [SECRET]"),
        ("2024 4111111111111111", "2024 [CARD]"),
        ("3714 496353 98431", "[CARD]"),
        ("490154203237518", "490154203237518"),
        ("order 4111111111111111", "order 4111111111111111"),
        ("card no. 4111111111111111", "card no. [CARD]"),
    ],
)
def test_cards_are_found_by_issuer_groups_and_luhn(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DE89 3704 0044 0532 0130 00 cash", "[IBAN] cash"),
        ("de89370400440532013000", "[IBAN]"),
        ("DE88 3704 0044 0532 0130 00", "DE88 3704 0044 0532 0130 00"),
        ("DE89370400440532013000x", "DE89370400440532013000x"),
        ("Look at 203.0.113.77 and tell me.", "Look at [IP] and tell me."),
    ],
)
def test_ibans_are_found_by_length_and_check_digits(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1/24, 192.168.1.1:8080", "[IP]/24, [IP]:8080"),
        ("[2001:db8::8a2e:370:7334]", "[[IP]]"),
        ("v10.20.30.40, 1.2.3.4, 127.0.0.1", "v10.20.30.40, 1.2.3.4, 127.0.0.1"),
        ("12:30:45, ::1, std::vector, 300.1.1.1", "12:30:45, ::1, std::vector, 300.1.1.1"),
    ],
)
def test_ips_are_found_and_versions_and_times_are_not(text: str, expected: str) -> None:
    assert redact(text) == expected
