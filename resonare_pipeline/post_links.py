"""Addresses of posts on X, formerly Twitter."""

import re

POST = re.compile(
    r"https?://(?:www\.|mobile\.|m\.)?(?:twitter|x)\.com/(?P<user>\w{1,15})/status(?:es)?/(?P<id>\d+)"
    r"[^\s)\]]*",
    re.IGNORECASE,
)
"""An address with all that follows it up to a space or a closing bracket: `user` and `id`."""
