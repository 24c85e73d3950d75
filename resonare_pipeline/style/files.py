"""Names of the files of the style group that people are given."""

STYLE_FILE = "style.json"
HOURS_FILE = "your_hours.png"
LENGTHS_FILE = "your_lengths.png"
RESPONSES_FILE = "your_response_times.png"
EMOJI_FILE = "your_emoji.png"
PLOT_FILES = (HOURS_FILE, LENGTHS_FILE, RESPONSES_FILE, EMOJI_FILE)
