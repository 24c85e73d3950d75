"""What a failure of the provider leaves: nothing done, or nobody knows."""


class UnsureError(Exception):
    """What was asked may have been done, or not: the connection broke, or the provider failed."""


class NotNowError(Exception):
    """It was not done, and may be later."""
