class Mismatch(Exception):
    """A value cannot be carried over. `says` is for people and holds no value; `path` leads there as an RFC 6901 pointer."""

    def __init__(self, says: str) -> None:
        super().__init__(says)
        self.says = says
        self._steps: list[str] = []

    def within(self, step: str | int) -> "Mismatch":
        """The same, seen from the object or list that holds it."""
        self._steps.append(str(step)[:64].replace("~", "~0").replace("/", "~1"))
        return self

    @property
    def path(self) -> str:
        return "".join("/" + step for step in reversed(self._steps))


class TooLarge(Mismatch):
    """It would not fit into a payload."""
