"""The panel to load a file: what is dropped is kept, read and described; hostile names and broken files are refused."""

import base64

import numpy as np
import pytest
import xarray as xr

from analysis import io, widgets
from analysis.core import FormatError
from analysis.widgets import drop_zone
from analysis.widgets.loading import recognised

TABLE = b"Raman shift (cm-1)\tIntensity (counts)\n" + b"".join(
    f"{100 + 2 * k}\t{50 + k % 7}\n".encode() for k in range(200)
)


@pytest.fixture
def panel(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return widgets.load()


def drop(panel, name, content, *, size=None, piece=100):
    """Send what the browser sends."""
    told = panel.zone._told
    told(None, {"type": "begin", "name": name, "size": len(content) if size is None else size}, [])
    pieces = [content[k : k + piece] for k in range(0, len(content), piece)] or [b""]
    for k, part in enumerate(pieces):
        told(None, {"type": "piece", "last": k == len(pieces) - 1}, [memoryview(part)])


def test_a_dropped_file_is_kept_read_and_said_by_the_code(panel, tmp_path):
    drop(panel, "quartz.txt", TABLE)
    assert panel.message.value == ""
    assert (tmp_path / "uploads" / "quartz.txt").read_bytes() == TABLE
    again = eval(panel.code(), {"io": io})
    xr.testing.assert_identical(panel.result, again)
    facts = recognised(panel.result)
    assert facts["format"] == "ascii"
    assert facts["spectra"] == "1 of 200 points"
    assert facts["axis raman_shift"] == "100 to 498 cm-1"
    assert "no uncertainty" in facts["signal"]
    assert facts["SHA-256"] in panel.words.value
    bundle = panel._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert "200 points" in bundle["text/plain"]


def test_the_path_field_is_the_twin_of_the_drop(panel, tmp_path):
    drop(panel, "quartz.txt", TABLE)
    dropped = panel.result
    other = widgets.load()
    assert other._repr_mimebundle_().keys() >= {"text/plain"}
    assert "image/png" not in other._repr_mimebundle_()
    other.path.value = "uploads/quartz.txt"
    xr.testing.assert_identical(other.result, dropped)
    other.undo()
    assert (other.result, other.path.value) == (None, "")
    other.redo()
    other.save(tmp_path / "kept.json")
    again = widgets.load()
    again.load(tmp_path / "kept.json")
    assert again.settings == other.settings


def test_nothing_is_overwritten(panel, tmp_path):
    drop(panel, "a.txt", TABLE)
    drop(panel, "a.txt", TABLE)
    assert panel.message.value == ""
    drop(panel, "a.txt", TABLE + b"600\t1\n")
    assert "is there already with other content" in panel.message.value
    assert (tmp_path / "uploads" / "a.txt").read_bytes() == TABLE
    assert panel.result.sizes["channel"] == 200


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a\x00b.txt", "x" * 300, "folder/", "a\nb"])
def test_names_that_are_no_plain_file_are_refused(panel, tmp_path, name):
    drop(panel, name, TABLE)
    assert "cannot be the name of a file" in panel.message.value
    assert panel.result is None
    assert list(tmp_path.rglob("*.txt")) == []


def test_a_path_in_a_name_is_dropped_and_html_in_it_is_escaped(panel, tmp_path):
    drop(panel, "../../../etc/evil.txt", TABLE)
    assert panel.settings.path == "uploads/evil.txt"
    drop(panel, "<img src=x onerror=alert(1)>.txt", b"no numbers here")
    assert "<img" not in panel.message.value
    assert "<img" not in panel.words.value
    assert [path.parent.name for path in tmp_path.rglob("*.txt")] == ["uploads"] * 2


def test_pieces_that_do_not_add_up_and_huge_files_are_refused(panel):
    drop(panel, "a.txt", TABLE, size=len(TABLE) + 5)
    assert "drop it again" in panel.message.value
    drop(panel, "a.txt", TABLE, size=10)
    assert "drop it again" in panel.message.value
    drop(panel, "a.txt", TABLE, size=drop_zone.MOST_BYTES + 1)
    assert "Type its path" in panel.message.value
    assert panel.result is None
    drop(panel, "a.txt", TABLE)
    assert panel.result is not None


def test_a_file_that_cannot_be_read_is_refused_and_the_last_one_stays(panel):
    drop(panel, "a.txt", TABLE)
    drop(panel, "b.bin", bytes(range(256)) * 8)
    assert 'role="alert"' in panel.message.value
    assert panel.result.sizes["channel"] == 200
    assert panel.path.value == "uploads/a.txt"


def test_some_spectra_of_a_map_are_drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    io.write(io.sample("raman_silicon_map"), "map.nc")
    panel = widgets.load("map.nc")
    assert len(panel.plot.plot["series"]) == 6
    np.testing.assert_array_equal(panel.result["signal"], io.sample("raman_silicon_map")["signal"])
    with pytest.raises(FormatError):
        drop_zone.keep("a/..", b"")
