"""Every public name is documented as it is, and no signature changes unseen."""

import ast
import builtins
import inspect
import re
import textwrap

import pytest

from analysis.core import errors
from tests import public_api

SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", flags=re.MULTILINE)


def public():
    return [
        pytest.param(room, name, member, id=f"{room}.{name}")
        for room in public_api.rooms()
        for name, member in public_api.members(room).items()
        if not inspect.ismodule(member)
    ]


PUBLIC = public()
FUNCTIONS = [p for p in PUBLIC if inspect.isfunction(p.values[2])]
CLASSES = [p for p in PUBLIC if inspect.isclass(p.values[2])]


def sections(function):
    """Return {title: text} of a numpydoc docstring; the text before the first is under ''."""
    parts = SECTION.split(inspect.getdoc(function) or "")
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def entries(text):
    """Return the names that a Parameters or Raises section lists, flush left."""
    lines = [line for line in text.splitlines() if line and not line[0].isspace()]
    return [name.strip(" *:") for line in lines for name in line.partition(" :")[0].split(",")]


def raises(function):
    """Tell whether the body of a function has a raise of its own."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(isinstance(node, ast.Raise) and node.exc for node in ast.walk(tree))


def test_the_public_names_and_signatures_are_the_recorded_ones():
    recorded = public_api.SNAPSHOT.read_text(encoding="utf-8")
    assert public_api.describe() == recorded, "if meant: python -m tests.public_api, and CHANGELOG"


def test_a_public_name_belongs_to_one_room():
    seen = {}
    for param in PUBLIC:
        room, name, member = param.values
        if callable(member) and member.__module__.startswith(("analysis", "instruments")):
            seen.setdefault(id(member), []).append(f"{room}.{name}")
    assert [names for names in seen.values() if len(names) > 1] == []


@pytest.mark.parametrize(("room", "name", "function"), FUNCTIONS)
def test_a_function_documents_its_parameters_result_and_errors(room, name, function):
    found = sections(function)
    assert found[""].strip(), f"{room}.{name} has no docstring"
    parameters = [p for p in inspect.signature(function).parameters if not p.startswith("_")]
    assert entries(found.get("Parameters", "")) == parameters
    if inspect.signature(function).return_annotation not in (None, "None"):
        assert found.get("Returns", "").strip(), "no Returns section"
    if raises(function):
        assert found.get("Raises", "").strip(), "it raises and has no Raises section"
    for error in entries(found.get("Raises", "")):
        kind = getattr(errors, error, None) or getattr(builtins, error, None)
        assert isinstance(kind, type), f"no exception {error!r}"
        assert issubclass(kind, BaseException)


@pytest.mark.parametrize(("room", "name", "function"), FUNCTIONS)
def test_a_function_takes_no_catch_all_and_is_fully_annotated(room, name, function):
    signature = inspect.signature(function)
    kinds = {p.kind for p in signature.parameters.values()}
    assert inspect.Parameter.VAR_KEYWORD not in kinds, f"{room}.{name} takes **kwargs"
    bare = [p.name for p in signature.parameters.values() if p.annotation is p.empty]
    assert bare == []


@pytest.mark.parametrize(("room", "name", "cls"), CLASSES)
def test_a_class_documents_itself_and_its_methods(room, name, cls):
    assert (cls.__doc__ or "").strip(), f"{room}.{name} has no docstring"
    for key, member in vars(cls).items():
        plain = member.fget if isinstance(member, property) else member
        if inspect.isfunction(plain) and not key.startswith("_"):
            assert (plain.__doc__ or "").strip(), f"{room}.{name}.{key} has no docstring"
