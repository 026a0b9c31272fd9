"""Dialogues: what was said over a line, kept and played again without the instrument.

Not here: lines to instruments (`instruments.transports.visa`).
"""

from collections.abc import Sequence

from analysis.core import InstrumentError
from instruments.clock import Clock, VirtualClock
from instruments.protocols import Transport

__all__ = ["Recorder", "Replay"]

Said = tuple[str, str | bytes | None]


class Recorder:
    """A line that remembers: `dialogue` is a list of messages and answers (None where nothing was asked)."""

    def __init__(self, line: Transport) -> None:
        self._line = line
        self.resource, self.clock = line.resource, line.clock
        self.dialogue: list[Said] = []

    def write(self, message: str) -> None:
        """Send a message.

        Parameters
        ----------
        message:
            Without termination.
        """
        self.dialogue.append((message, None))
        self._line.write(message)

    def query(self, message: str) -> str:
        """Send a message and return the answer.

        Parameters
        ----------
        message:
            Without termination.

        Returns
        -------
        :
            Without termination.
        """
        answer = self._line.query(message)
        self.dialogue.append((message, answer))
        return answer

    def query_block(self, message: str, *, limit: int) -> bytes:
        """Send a message and return the content of a binary block.

        Parameters
        ----------
        message:
            Without termination.
        limit:
            Most bytes.

        Returns
        -------
        :
            The content.
        """
        answer = self._line.query_block(message, limit=limit)
        self.dialogue.append((message, answer))
        return answer

    def clear(self) -> None:
        """Forget what is under way."""
        self._line.clear()

    def close(self) -> None:
        """Close the line."""
        self._line.close()


class Replay:
    """A line that plays a dialogue: each message must be the one that was said, in the same order.

    Parameters
    ----------
    dialogue:
        As `Recorder.dialogue`.
    resource:
        Name for errors.
    clock:
        None is a `VirtualClock`.
    """

    def __init__(self, dialogue: Sequence[Said], *, resource: str = "replay", clock: Clock | None = None) -> None:
        self._left = list(dialogue)
        self.resource = resource
        self.clock: Clock = VirtualClock() if clock is None else clock

    @property
    def left(self) -> int:
        """Messages not said yet."""
        return len(self._left)

    def _take(self, message: str) -> str | bytes | None:
        wanted, answer = self._left.pop(0) if self._left else ("nothing more", None)
        if message != wanted:
            msg = f"{self.resource}: got {message!r} where the dialogue has {wanted!r}; record it anew"
            raise InstrumentError(msg)
        return answer

    def write(self, message: str) -> None:
        """Say a message.

        Parameters
        ----------
        message:
            Must be the next of the dialogue.
        """
        self._take(message)

    def query(self, message: str) -> str:
        """Say a message and return its answer.

        Parameters
        ----------
        message:
            Must be the next of the dialogue.

        Returns
        -------
        :
            As recorded.

        Raises
        ------
        InstrumentError
            If it was not answered by text.
        """
        answer = self._take(message)
        if not isinstance(answer, str):
            msg = f"{self.resource}: {message!r} was not answered by text in the dialogue; record it anew"
            raise InstrumentError(msg)
        return answer

    def query_block(self, message: str, *, limit: int) -> bytes:
        """Say a message and return the block that answered.

        Parameters
        ----------
        message:
            Must be the next of the dialogue.
        limit:
            Most bytes.

        Returns
        -------
        :
            As recorded.

        Raises
        ------
        InstrumentError
            If it was not answered by a block of at most `limit` bytes.
        """
        answer = self._take(message)
        if not isinstance(answer, bytes) or len(answer) > limit:
            msg = f"{self.resource}: {message!r} was not answered by a block of at most {limit} bytes; record it anew"
            raise InstrumentError(msg)
        return answer

    def clear(self) -> None:
        """Do nothing: nothing is under way."""

    def close(self) -> None:
        """Do nothing: there is no line."""
