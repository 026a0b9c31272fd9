"""Galactic SPC: files packed here by the layout of SPC.H, every kind of Y and X, and contradictory files."""

import struct

import numpy as np
import pytest

from analysis import io
from analysis.core import FormatError

Y = np.array([0.5, -0.25, 0.125, 0.0, 0.75])
FLOAT = 0x80
DATE = (2022 << 20) | (8 << 16) | (22 << 11) | (13 << 6) | 50


def header(
    *,
    order="<",
    flags=0,
    exponent=FLOAT,
    points=5,
    first=100.0,
    last=500.0,
    spectra=1,
    units=(13, 4, 4),
    log=0,
    z_step=0.0,
):
    packed = struct.pack(
        order + "BBBBI2dIBBBBI",
        flags,
        0x4B if order == "<" else 0x4C,
        0,
        exponent,
        points,
        first,
        last,
        spectra,
        *units,
        0,
        DATE,
    )
    packed += b"\0" * (88 - len(packed)) + b"a comment".ljust(130, b"\0") + b"\0" * 30 + struct.pack(order + "I", log)
    return packed.ljust(312, b"\0") + struct.pack(order + "f", z_step).ljust(200, b"\0")


def sub(values, *, order="<", exponent=FLOAT, z=0.0, own=0):
    kind = {FLOAT: "f4", 1: "i4"}.get(exponent, "i2")
    scaled = values if exponent == FLOAT else np.round(values * 2.0 ** ({"i4": 32, "i2": 16}[kind] - (exponent % 16)))
    packed = struct.pack(order + "BBHfffIIf4x", 0, exponent, 0, z, 0, 0, own, 0, 0)
    return packed, np.asarray(scaled).astype(order + kind).tobytes()


def read(tmp_path, content):
    (tmp_path / "a.spc").write_bytes(content)
    return io.read(tmp_path / "a.spc")


@pytest.mark.parametrize("order", ["<", ">"])
def test_floats_on_an_even_axis_in_both_byte_orders(order, tmp_path):
    found = read(tmp_path, header(order=order) + b"".join(sub(Y, order=order)))
    np.testing.assert_array_equal(found["signal"], Y)
    np.testing.assert_array_equal(found["raman_shift"], [100, 200, 300, 400, 500])
    assert found["raman_shift"].attrs["units"] == "cm-1"
    assert found["signal"].attrs["units"] == "counts"
    assert found.attrs["acquired"] == "2022-08-22T13:50:00"
    assert found.attrs["title"] == "a comment"


def test_fractions_of_16_and_32_bits(tmp_path):
    whole = sub(Y, exponent=1)
    np.testing.assert_array_equal(read(tmp_path, header(exponent=1) + b"".join(whole))["signal"], Y)
    half = np.round(Y * 2**14).astype("<i2").tobytes()
    np.testing.assert_array_equal(read(tmp_path, header(flags=1, exponent=2) + whole[0] + half)["signal"], Y)


def test_the_old_kind_has_its_words_the_other_way_round(tmp_path):
    head = struct.pack("<BBhfffBBHBBBB", 0, 0x4D, 1, 5, 4000, 400, 1, 2, 1991, 6, 18, 10, 24).ljust(64, b"\0")
    raw = np.round(Y * 2**31).astype(">i4").tobytes()
    swapped = np.frombuffer(raw, ">u2").astype("<u2").tobytes()
    found = read(tmp_path, head.ljust(224, b"\0") + b"\0" * 32 + swapped)
    np.testing.assert_array_equal(found["signal"], Y)
    np.testing.assert_array_equal(found["wavenumber"], [4000, 3100, 2200, 1300, 400])
    assert found.attrs["acquired"] == "1991-06-18T10:24:00"


def test_many_spectra_share_a_listed_falling_axis_and_have_their_z(tmp_path):
    x = np.array([9.0, 7.0, 4.0, 2.0, 1.0], dtype="<f4").tobytes()
    parts = b"".join(b"".join(sub(Y * k, z=10.0 * k)) for k in (1, 2, 3))
    found = read(tmp_path, header(flags=0x84, spectra=3) + x + parts)
    np.testing.assert_array_equal(found["signal"], [Y, 2 * Y, 3 * Y])
    np.testing.assert_array_equal(found["raman_shift"], [9, 7, 4, 2, 1])
    np.testing.assert_array_equal(found["time"], [10, 20, 30])


def test_spectra_with_their_own_axes_are_a_collection(tmp_path):
    body, entries, place = b"", b"", 512
    for k, size in enumerate((5, 3)):
        head, y = sub(Y[:size], own=size)
        piece = head + np.arange(size, dtype="<f4").tobytes() + y
        entries += struct.pack("<IIf", place, len(piece), k)
        body, place = body + piece, place + len(piece)
    found = read(tmp_path, header(flags=0xC4, spectra=2, points=place) + body + entries)
    assert [each.sizes["channel"] for each in found.values()] == [5, 3]
    np.testing.assert_array_equal(found["2"]["signal"], Y[:3])


def test_the_log_says_laser_exposure_and_accumulations(tmp_path):
    text = b"Exposure_time=Time: 3000\r\nAccumulations=Accumulations: 4\r\nLaser=Laser: 785 nm edge\r\n\0"
    body = b"".join(sub(Y))
    log = struct.pack("<IIIII", 64 + len(text), 0, 64, 0, 0).ljust(64, b"\0") + text
    found = read(tmp_path, header(log=512 + len(body)) + body + log)
    assert (found.attrs["laser_wavelength_nm"], found.attrs["integration_time_s"], found.attrs["accumulations"]) == (
        785,
        3,
        4,
    )
    assert "785 nm edge" in found.attrs["header"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header()[:300], "of 300 bytes, its header alone has 512"),
        (header() + b"".join(sub(Y))[:-1], "asks for 564 at least. It is cut short"),
        (header(points=2**31) + b"".join(sub(Y)), "its header asks for 8589935104 at least"),
        (header(spectra=10**9) + b"".join(sub(Y)), "promises 1000000000 spectra in 564 bytes"),
        (header(first=np.nan) + b"".join(sub(Y)), "wanted one point at least and finite ends"),
        (header(log=10**6) + b"".join(sub(Y)), "its header asks for 1000064"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(content, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        read(tmp_path, content)
