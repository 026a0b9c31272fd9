"""Lines to instruments: VISA, Modbus TCP, and dialogues that are recorded and played again."""

from instruments.transports.dialogue import Recorder, Replay

__all__ = ["Recorder", "Replay"]
