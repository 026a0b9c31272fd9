"""Readers of other packages: found by their entry point, asked after ours, refused with a reason."""

from importlib import metadata

import pytest
import xarray as xr

from analysis import io
from analysis.core import FormatError
from analysis.io import registry

OURS = io.Reader(
    name="ours",
    title="our own format",
    recognises=lambda head: head.startswith(b"OURS"),
    read=lambda content, _: xr.Dataset({"signal": ("channel", [float(byte) for byte in content[4:]])}),
    reads="bytes",
)


class Entry:
    def __init__(self, thing):
        self.name, self.value, self.thing = "ours", "ours:READER", thing

    def load(self):
        if isinstance(self.thing, Exception):
            raise self.thing
        return self.thing


@pytest.fixture
def plug(monkeypatch):
    def plug(thing):
        registry.readers.cache_clear()
        monkeypatch.setattr(metadata, "entry_points", lambda group: [Entry(thing)] if group == registry.GROUP else [])

    yield plug
    registry.readers.cache_clear()


def put(tmp_path, content):
    (tmp_path / "a.dat").write_bytes(content)
    return tmp_path / "a.dat"


def test_a_plug_in_reads_its_files_by_content(plug, tmp_path):
    plug(OURS)
    assert "ours" in io.formats()
    found = io.read(put(tmp_path, b"OURS\x01\x02"))
    assert found["signal"].values.tolist() == [1.0, 2.0]
    assert '"format": "ours"' in found.attrs["history"]


def test_a_plug_in_that_gives_nothing_or_fails_is_refused(plug, tmp_path):
    plug(OURS)
    with pytest.raises(FormatError, match=r"'a.dat' is our own format but holds no values"):
        io.read(put(tmp_path, b"OURS"))
    plug(io.Reader(name="bad", title="bad one", recognises=lambda _: True, read=lambda _, __: 1 / 0, reads=""))
    with pytest.raises(FormatError, match="looks like bad one but does not read: ZeroDivisionError"):
        io.read(put(tmp_path, b"x"))


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (ImportError("no sif"), "does not load: ImportError: no sif. Install it again"),
        ("text", "is a str; wanted an io.Reader"),
        (
            io.Reader(name="ascii", title="", recognises=lambda _: True, read=OURS.read, reads=""),
            "'ascii', which is taken",
        ),
    ],
)
def test_a_plug_in_that_is_no_reader_is_named(thing, message, plug):
    plug(thing)
    with pytest.raises(FormatError, match=message):
        io.formats()
