"""Where filled records go: those that are kept to a writer, others to lines of their own."""

from resonare_pipeline.records.dropping import DroppedLines
from resonare_pipeline.records.filling import Filled
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.writing import Writer


class FileSink:
    """Writes records as they come."""

    def __init__(self, writer: Writer, dropped: DroppedLines) -> None:
        self._writer = writer
        self._dropped = dropped

    def keep(self, record: Record, filled: Filled) -> None:
        """Write a record that goes on."""
        self._writer.add(record, filled.text)

    def drop(self, record: Record, filled: Filled) -> None:
        """Write a record that is left out, with the reason."""
        self._dropped.add(record, filled)
