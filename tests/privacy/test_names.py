import pytest

from resonare_pipeline.privacy.people import Person
from resonare_pipeline.privacy.redaction import Redactor
from resonare_pipeline.privacy.settings import PrivacySettings


def redact(text: str, *names: str) -> str:
    people = [Person(str(n), (name,), f"<{n}>") for n, name in enumerate(names, 1)]
    return Redactor(PrivacySettings(), people).redact(text).text


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Maya 🌸", "maya, MAYA and Maya's", "<1>, <1> and <1>'s"),
        ("Maya Smith", "Maya-Smith or Smith Maya or maya smith", "<1> or <1> or <1>"),
        ("Maya Smith", "#MayaSmith, maya_smith2", "#<1>, <1>2"),
        ("José Müller", "Jose and mueller and MULLER", "<1> and <1> and <1>"),
        ("IŞIK Yılmaz", "yilmaz, YILMAZ, Yılmaz'ın", "<1>, <1>, <1>'ın"),
        ("Anna (work)", "anna at work", "<1> at work"),
        ("D'Angelo", "DAngelo or D’Angelo", "<1> or <1>"),
        ("Jan van der Berg", "van der Berg and Jan van der Berg", "<1> and <1>"),
        ("maya_dev93", "maya_dev93 or maya dev", "<1> or maya dev"),
        ("Maya Maya", "Maya. Maya!", "<1>. <1>!"),
    ],
)
def test_names_are_found_however_they_are_written(name: str, text: str, expected: str) -> None:
    assert redact(text, name) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Will Turner", "Will you? I will, ask Will.", "Will you? I will, ask <1>."),
        ("Will Turner", "ok\nWill: yes\nWill Turner: no", "ok\n<1>: yes\n<1>: no"),
        (
            "May",
            "in May 2024, since May, 5 May; with May",
            "in May 2024, since May, 5 May; with <1>",
        ),
        ("Hope Rose", "I hope Rose comes. Hope Rose did", "I hope <1> comes. <1> did"),
        ("Bo Li", "bo, I met Bo", "bo, I met <1>"),
        ("Вера", "вера в людей, люблю Веру", "вера в людей, люблю <1>"),
        ("Mark", "MARK MY WORDS, says Mark", "MARK MY WORDS, says <1>"),
    ],
)
def test_names_that_are_words_count_by_capital_and_place(
    name: str, text: str, expected: str
) -> None:
    assert redact(text, name) == expected


@pytest.mark.parametrize(
    "name", ["Deleted Account", "Telegram", "Saved Messages", "Mom ❤️", "🌸", "X", "", "(work)"]
)
def test_names_that_name_nobody_are_not_looked_for(name: str) -> None:
    text = "my deleted account, Telegram, saved messages, Mom, 🌸, x and X, work"
    assert redact(text, name) == text


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Саша", "с сашей у Саши, Сашин дом", "с <1> у <1>, <1> дом"),
        ("Маша", "машина стоит", "машина стоит"),
        ("Agnieszka", "Agnieszce, agnieszka", "<1>, <1>"),
        ("Paweł", "z Pawłem", "z <1>"),
        ("Sanna", "Sannalle, sannalle", "<1>, sannalle"),
        ("يعقوب", "ليعقوب ويعقوب", "ل<1> و<1>"),
        ("Tim", "Time flies, Tim", "Time flies, <1>"),
    ],
)
def test_inflected_names_are_found(name: str, text: str, expected: str) -> None:
    assert redact(text, name) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("王小明", "我和小明去找王小明", "我和<1>去找<1>"),
        ("田中太郎", "田中さんと太郎", "<1>さんと<1>"),
        ("김민수", "민수가 김민수 씨", "<1>가 <1> 씨"),
        ("김민수", "국민수", "국민수"),
    ],
)
def test_names_without_spaces_around_them_are_found(name: str, text: str, expected: str) -> None:
    assert redact(text, name) == expected


def test_shared_name_is_the_first_persons_and_whole_names_are_each_ones() -> None:
    text = "Maya, Maya Smith, Maya Jones"
    assert redact(text, "Maya Smith", "Maya Jones") == "<1>, <1>, <2>"
