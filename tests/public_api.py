"""The public names of all rooms, and their signatures, as text.

`python -m tests.public_api` writes the snapshot that `tests/contract/test_public_api.py` compares:
a change of it is a change for users, seen in review and told in the changelog.
"""

import dataclasses
import enum
import importlib
import inspect
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SNAPSHOT = ROOT / "tests" / "contract" / "public_api.txt"


def rooms():
    """Return the import names of all rooms: folders and public modules of both packages."""
    found = []
    for package in ("analysis", "instruments"):
        found += [f"{package}.{path.parent.name}" for path in (ROOT / package).glob("[a-z]*/__init__.py")]
        found += [f"{package}.{path.stem}" for path in (ROOT / package).glob("[a-z]*.py")]
    return sorted(found)


def members(room):
    """Return {name: object} of what a room hands on."""
    module = importlib.import_module(room)
    return {name: getattr(module, name) for name in sorted(module.__all__)}


def signature(function):
    """Return the signature without annotations: their text depends on the version of numpy."""
    found = inspect.signature(function)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in found.parameters.values()]
    text = str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def describe_class(name, cls):
    """Yield the lines of a public class: fields or values first, then methods."""
    yield f"class {name}({', '.join(base.__name__ for base in cls.__bases__)})"
    if issubclass(cls, enum.Enum):
        yield from (f"    {member.name} = {member.value!r}" for member in cls)
        return
    if dataclasses.is_dataclass(cls):
        yield from (f"    {field.name}" for field in dataclasses.fields(cls))
    for key, member in sorted(vars(cls).items()):
        if key.startswith("_"):
            continue
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if inspect.isfunction(plain):
            yield f"    def {key}{signature(plain)}"
        elif isinstance(plain, property):
            yield f"    {key} -> property"


def describe():
    """Return the text of the snapshot."""
    lines = []
    for room in rooms():
        lines.append(f"# {room}")
        for name, member in members(room).items():
            if inspect.isclass(member):
                lines += describe_class(name, member)
            elif callable(member):
                lines.append(f"def {name}{signature(member)}")
            elif inspect.ismodule(member):
                lines.append(f"module {name}")
            else:
                lines.append(f"{name}: {type(member).__name__}")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    SNAPSHOT.write_text(describe(), encoding="utf-8")
