"""Which CSV files of a dump are read, by their names: the tables of Signal's database."""

MESSAGE_TABLES = ("message", "signal", "mms", "sms")
OTHER_TABLES = (
    "recipient",
    "thread",
    "groups",
    "distribution_list",
    "reaction",
    "mention",
    "attachment",
    "part",
)
SIGNAL_MESSAGES = tuple(f"{name}.csv" for name in MESSAGE_TABLES)
SIGNAL_TABLES = (*SIGNAL_MESSAGES, *(f"{name}.csv" for name in OTHER_TABLES))
