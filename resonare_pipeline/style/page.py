"""style.md: how you write, as a page that you like to read. Each is a function of style.json alone.

Names and words come from chats, so each is escaped. Nothing is counted here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from resonare_pipeline.markdown import bar, cell, duration, number, percent, section, table
from resonare_pipeline.style.files import EMOJI_FILE, HOURS_FILE, LENGTHS_FILE, RESPONSES_FILE
from resonare_pipeline.style.labels import style_difference

MOST_PARTNERS = 30
MOST_WORDS = 15
ALIKE_BELOW = 0.2  # a style difference that nobody would notice
ADAPTS_FROM = 0.3
NIGHT_HOURS = (23, 0, 1, 2, 3, 4)
NIGHT_OWL_SHARE = 0.15
WEEKEND_SHARE = 0.4  # two days of seven are 0.29

Document = Mapping[str, Any]


def render_style(document: Document) -> str:
    """Return the page, with a final newline."""
    you = document["you"]
    if not you["total_messages"]:
        return "# How you write\n\nThere are no messages of yours with a text.\n"
    parts = [
        f"# How you write\n\n{portrait(document)}",
        section("In numbers", _numbers(document)),
        section("When", _when(document), plot=HOURS_FILE),
        section("How long", _lengths(document), plot=LENGTHS_FILE),
        section("How fast", _fast(document), plot=RESPONSES_FILE),
        section("One after the other", _bursts(document)),
        section("Emoji", _emoji(document), plot=EMOJI_FILE),
        section("Words", _words(document)),
        section("With whom", _partners(document)),
        "How each label is computed: docs/style.md of the project.",
    ]
    return "\n\n".join(parts) + "\n"


def portrait(document: Document) -> str:
    """Return your style in a few sentences."""
    sentences = [
        _length_sentence(document),
        _burst_sentence(document),
        _speed_sentence(document),
        _clock_sentence(document),
        _emoji_sentence(document),
        _word_sentence(document),
    ]
    return " ".join(filter(None, sentences))


def _length_sentence(document: Document) -> str:
    you, others = document["you"], document["others"]
    mean = you["avg_message_length"]
    words = you["vocabulary"]["avg_words_per_message"]
    kind = {"concise": "short", "balanced": "neither short nor long", "lengthy": "long"}
    text = (
        f"Your messages are {kind[you['preferred_length']]}: {mean:,.0f} characters on average, "
        f"or {words:,.1f} words."
    )
    if not others["total_messages"]:
        return text
    their = others["avg_message_length"]
    if style_difference(mean, their) < ALIKE_BELOW:
        return f"{text} Those of the people you write with are much alike ({their:,.0f})."
    longer = "longer" if their > mean else "shorter"
    return f"{text} Those of the people you write with are {longer} ({their:,.0f})."


def _burst_sentence(document: Document) -> str:
    bursts = document["you"]["burst_patterns"]
    if not bursts["total_bursts"]:
        return "You hardly ever send two messages in a row."
    return (
        f"{percent(bursts['burst_frequency'])} of them come in bursts, and your longest one had "
        f"{bursts['max_burst_size']} messages."
    )


def _speed_sentence(document: Document) -> str:
    own = document["you"]["time_patterns"]["response_time_percentiles"]["p50"]
    their = document["others"]["time_patterns"]["response_time_percentiles"]["p50"]
    if own is None:
        return ""
    text = f"Half of your answers come within {duration(own)}"
    return f"{text}." if their is None else f"{text}; you wait {duration(their)} for theirs."


def _clock_sentence(document: Document) -> str:
    days = document["hours_by_weekday"]
    by_hour = [sum(hours) for hours in zip(*days.values(), strict=True)]
    total = sum(by_hour)
    hours = document["you"]["time_patterns"]["most_active_hours"]
    listed = ", ".join(f"{hour:02d}:00" for hour in hours)
    text = f"You write most at {listed}, above all on {_most_active(document)}"
    night = sum(by_hour[hour] for hour in NIGHT_HOURS) / total
    weekend = sum(sum(days[day]) for day in ("Saturday", "Sunday")) / total
    if night >= NIGHT_OWL_SHARE:
        return f"{text}; {percent(night)} of it between 23:00 and 05:00."
    return f"{text}; {percent(weekend)} at weekends." if weekend >= WEEKEND_SHARE else f"{text}."


def _most_active(document: Document) -> str:
    return " and ".join(f"{day}s" for day in document["you"]["time_patterns"]["most_active_days"])


def _emoji_sentence(document: Document) -> str:
    usage = document["you"]["emoji_usage"]
    if not usage["top_emojis"]:
        return "You use no emoji."
    return f"{usage['emoji_usage_rate']} have an emoji, most often {usage['top_emojis'][0]}."


def _word_sentence(document: Document) -> str:
    words = document["your_words"][:3]
    if not words:
        return ""
    return f"More than the people you write with you say {_listed(words)}."


def _listed(words: Sequence[str]) -> str:
    quoted = [f"“{cell(word)}”" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _numbers(document: Document) -> str:
    you, others = document["you"], document["others"]
    rows = [
        ("messages with text", *(number(who["total_messages"]) for who in (you, others))),
        ("mean characters", *(number(who["avg_message_length"]) for who in (you, others))),
        *(
            (name, *(number(who["vocabulary"][key]) for who in (you, others)))
            for name, key in (("mean words", "avg_words_per_message"), ("words", "unique_words"))
        ),
        (
            "questions",
            *(percent(who["vocabulary"]["question_frequency"]) for who in (you, others)),
        ),
        ("with emoji", *(who["emoji_usage"]["emoji_usage_rate"] for who in (you, others))),
        (
            "messages a day",
            *(number(who["time_patterns"]["avg_messages_per_day"]) for who in (you, others)),
        ),
    ]
    return table(("", "you", "others"), rows)


def _when(document: Document) -> str:
    days = document["hours_by_weekday"]
    totals = {day: sum(hours) for day, hours in days.items()}
    greatest = max(totals.values())
    rows = ((day, number(total), bar(total, greatest)) for day, total in totals.items())
    return f"Times in {document['time_zone']}.\n\n" + table(
        ("day", "messages", ""), rows, left=(0, 2)
    )


def _lengths(document: Document) -> str:
    counts = document["you"]["message_length_distribution"]
    greatest = max(counts.values())
    rows = (
        (name.replace("_", " "), number(count), bar(count, greatest))
        for name, count in counts.items()
    )
    return table(("", "messages", ""), rows, left=(0, 2))


def _fast(document: Document) -> str:
    rows = []
    for who, key in (("you", "you"), ("others", "others")):
        times = document[key]["time_patterns"]["response_time_percentiles"]
        rows.append((who, *(duration(times[name]) for name in ("p50", "p75", "p90"))))
    return table(("", "half within", "three quarters within", "nine tenths within"), rows)


def _bursts(document: Document) -> str:
    sizes = document["burst_sizes"]
    if not sizes:
        return "No bursts."
    greatest = max(sizes.values())
    rows = ((size, number(count), bar(count, greatest)) for size, count in sizes.items())
    pace = duration(document["burst_median_interval"])
    note = f"A burst is two messages or more, each within two minutes; half of yours keep {pace}."
    return f"{note}\n\n" + table(("messages", "bursts", ""), rows, left=(2,))


def _emoji(document: Document) -> str:
    counts = document["emojis"]
    if not counts:
        return "None."
    greatest = max(counts.values())
    rows = ((emoji, number(count), bar(count, greatest)) for emoji, count in counts.items())
    places = document["you"]["emoji_usage"]["emoji_positions"]
    note = ", ".join(f"{percent(part)} at the {place}" for place, part in places.items())
    return f"Of them stand {note.replace('at the middle', 'in the middle')}.\n\n" + table(
        ("emoji", "times", ""), rows, left=(0, 2)
    )


def _words(document: Document) -> str:
    common = document["you"]["vocabulary"]["most_common_words"][:MOST_WORDS]
    lines = []
    if document["your_words"]:
        words = ", ".join(cell(word) for word in document["your_words"])
        lines.append(f"Yours more than of those you write with: {words}.")
    if common:
        greatest = common[0][1]
        rows = ((cell(word), number(count), bar(count, greatest)) for word, count in common)
        lines.append(table(("word", "times", ""), rows, left=(0, 2)))
    return "\n\n".join(lines) or "None."


def _partners(document: Document) -> str:
    partners = document["partners"]
    if not partners:
        return "Nobody in a chat of two."
    heads = ("who", "their style", "theirs", "yours", "their mean", "your mean", "you adapt")
    rows = (
        (
            cell(one["name"]),
            one["classification"].replace("_", " "),
            number(one["messages"]),
            number(one["your_messages"]),
            number(one["mean_length"]),
            number(one["your_mean_length"]),
            _adapts(one),
        )
        for one in partners[:MOST_PARTNERS]
    )
    more = len(partners) - MOST_PARTNERS
    rest = f"\n\n… and {more:,} more in style.json." if more > 0 else ""
    return table(heads, rows, left=(0, 1)) + rest


def _adapts(partner: Mapping[str, Any]) -> str:
    """Say how far you go towards somebody; where both write alike there is nothing to say."""
    if partner["style_difference"] < ALIKE_BELOW:
        return "alike"
    level = percent(partner["adaptation_level"])
    return f"**{level}**" if partner["adaptation_level"] >= ADAPTS_FROM else level
