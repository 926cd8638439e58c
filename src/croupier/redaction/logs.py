import logging

from croupier.redaction.redactor import Redactor


class RedactingFormatter(logging.Formatter):
    """What `formatter` makes of a record, tracebacks and all, without secrets."""

    def __init__(self, formatter: logging.Formatter, redactor: Redactor) -> None:
        super().__init__()
        self._formatter = formatter
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        line = self._formatter.format(record)
        return self._redactor.text(line) if self._redactor.active else line
