"""The panel to load a file: what is dropped is kept, read and described; hostile names and broken files are refused."""

import base64

import numpy as np
import pytest
import xarray as xr

from analysis import io, peaks, widgets
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


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a\x00b.txt", "x" * 300, "é" * 140, "folder/", "a\nb"])
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


def test_several_files_at_once_and_folders_are_refused_with_the_next_move(panel):
    panel.zone._told(None, {"type": "many", "count": 3}, [])
    assert "3 files were dropped; drop one at a time" in panel.message.value
    panel.zone._told(None, {"type": "unread", "name": "<b>folder", "why": "a directory"}, [])
    assert "not a folder" in panel.message.value
    assert "<b>folder" not in panel.message.value


def test_pieces_of_another_upload_are_not_mixed_in(panel, tmp_path):
    told = panel.zone._told
    told(None, {"type": "begin", "id": "1", "name": "first.txt", "size": len(TABLE)}, [])
    told(None, {"type": "begin", "id": "2", "name": "second.txt", "size": len(TABLE)}, [])
    told(None, {"type": "piece", "id": "1", "last": True}, [b"x" * len(TABLE)])
    assert panel.result is None
    told(None, {"type": "piece", "id": "2", "last": True}, [TABLE])
    assert (tmp_path / "uploads" / "second.txt").read_bytes() == TABLE


def test_a_fit_and_an_empty_panel_are_shown_without_a_spectrum(panel, tmp_path):
    assert eval(panel.code(), {"io": io}) is panel.result is None
    x = np.linspace(0.0, 10.0, 50)
    spectrum = xr.Dataset(
        {"signal": ("channel", np.exp(-((x - 5) ** 2)) + 0.01 * np.cos(x), {"units": "counts"})},
        coords={"x": ("channel", x, {"units": "nm", "laser_wavelength_nm": 785.0})},
    )
    mark = peaks.Mark(center=5.0, height=1.0, fwhm=2.0)
    io.write(peaks.fit_marked(spectrum, axis="x", marks=[mark]), tmp_path / "fit.nc")
    panel.path.value = "fit.nc"
    assert panel.message.value == ""
    assert "holds: value, " in panel.text()
    assert "laser_wavelength_nm: 785.0" in panel.text()
    assert "image/png" not in panel._repr_mimebundle_()
