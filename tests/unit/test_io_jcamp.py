"""JCAMP-DX: every form of numbers against the values it was made of, and headers that do not agree with their table."""

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import io
from analysis.core import FormatError

HEAD = "##TITLE= {title}\n##JCAMP-DX= 4.24 $$ made here\n##DATA TYPE= {kind}\n##DATE= 95/11/30\n##TIME= 08:32:13\n"
AXIS = "##XUNITS= 1/CM\n##YUNITS= ABSORBANCE\n##XFACTOR= 1\n##YFACTOR= {factor}\n##FIRSTX= {first}\n##LASTX= {last}\n"
Y = [100, 105, 105, 105, 98, -3, -3, 0, 12, 1234]


def block(lines, *, n=10, title="made", kind="INFRARED SPECTRUM", first=400, last=409, factor=0.5, form="(X++(Y..Y))"):
    text = HEAD.format(title=title, kind=kind) + AXIS.format(first=first, last=last, factor=factor)
    return text + f"##NPOINTS= {n}\n##XYDATA= {form}\n" + "\n".join(lines) + "\n##END=\n"


def read(tmp_path, text, encoding="utf-8", **given_item):
    (tmp_path / "a.jdx").write_bytes(text.encode(encoding))
    return io.read(tmp_path / "a.jdx", **given_item)


def letters(value, plus, minus):
    """Write the first digit of a number as a letter, as the tables of the standard do."""
    digits = str(abs(value))
    return (minus[int(digits[0]) - 1] if value < 0 else plus[int(digits[0])]) + digits[1:]


def sqz(value):
    return letters(value, "@ABCDEFGHI", "abcdefghi")


def dif(value):
    return letters(value, "%JKLMNOPQR", "jklmnopqr")


def difdup(values, first, width):
    """Encode as the standard says: differences, repetitions counted, lines overlapping by one."""
    lines, at = [], 0
    while at < len(values) - 1 or not lines:
        chunk = values[at : at + width]
        steps = [b - a for a, b in pairwise(chunk)]
        text, k = sqz(chunk[0]), 0
        while k < len(steps):
            same = next((j for j in range(k, len(steps)) if steps[j] != steps[k]), len(steps)) - k
            text += dif(steps[k]) + (("", "", *"TUVWXYZs")[same] if same > 1 else "")
            k += same
        lines.append(f"{first + at}{text}")
        at += len(chunk) - 1
        if len(values) == 1:
            break
    return [*lines, f"{first + at}{sqz(values[at])}"] if len(values) > 1 else lines


FORMS = {
    "AFFN": ["400 100 105 105 105 98", "405 -3 -3 0 12 1234"],
    "AFFN with exponents": ["400 1.00E+02 1.05e2 105 105.0 98", "405 -.3E1 -3 0 12 1.234E3"],
    "AFFN, commas": ["400, 100, 105, 105, 105, 98", "405,-3,-3,0,12,1234"],
    "PAC": ["400+100+105+105+105+98", "405-3-3+0+12+1234"],
    "SQZ": ["400A00A05A05A05I8", "405cc@A2A234"],
    "SQZ and DUP": ["400A00A05UI8", "405cT@A2A234"],
    "DIF and DUP": ["400A00N%Tpj01", "405c%LJ2J222", "409A234"],
}


@pytest.mark.parametrize("lines", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_form_of_numbers_gives_the_same_spectrum(lines, end, tmp_path):
    found = read(tmp_path, block(lines).replace("\n", end))
    np.testing.assert_array_equal(found["signal"], np.array(Y) * 0.5)
    np.testing.assert_array_equal(found["wavenumber"], np.arange(400.0, 410.0))
    assert found["wavenumber"].attrs["units"] == "cm-1"
    assert found["signal"].attrs == {"long_name": "ABSORBANCE", "units": "1"}
    assert found.attrs["acquired"] == "1995-11-30T08:32:13"
    assert found.attrs["title"] == "made"
    assert "header_check" not in found.attrs


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.integers(-99999, 99999) | st.integers(0, 2), min_size=2, max_size=60), width=st.integers(2, 9)
)
def test_differences_and_repetitions_come_back_exactly(values, width, tmp_path):
    text = block(difdup(values, 400, width), n=len(values), last=399 + len(values), factor=1)
    np.testing.assert_array_equal(read(tmp_path, text)["signal"], values)


@pytest.mark.parametrize(
    ("lines", "n", "message"),
    [
        (FORMS["AFFN"], 11, r"at line 13 holds 10 points, the header promises ##NPOINTS= 11"),
        (FORMS["AFFN"], 9, r"holds 10 ordinates or more where 9 are allowed"),
        (FORMS["DIF and DUP"][:1], 10, "holds 6 points"),
        (["400A00N%Tpj01", "405d%LJ2J222", "409A234"], 10, r"line 15: the Y-check fails.* begins with -4, .* at -3"),
        (["400A00N%Tpj01", "405c%LJ2J222", "409A235"], 10, r"line 16: the Y-check fails"),
        (["400A00Z9999999999"], 10, r"ordinates or more where 10 are allowed"),
        (["400 100 1~5"], 10, r"line 14: '~5' is no number"),
        (["400%5"], 10, r"line 14 begins with a difference"),
        ([""], 10, "holds 0 points"),
        (FORMS["AFFN"], 0, r"##NPOINTS= 0; wanted a whole number"),
    ],
)
def test_what_does_not_agree_with_its_header_is_refused(lines, n, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        read(tmp_path, block(lines, n=n))


def test_a_raman_spectrum_has_a_raman_shift_and_falling_axes_stay(tmp_path):
    lines = ["409 1 2 3", "406 4 5 6 7 8 9 10"]
    found = read(tmp_path, block(lines, kind="RAMAN SPECTRUM", first=409, last=400))
    np.testing.assert_array_equal(found["raman_shift"], np.arange(409.0, 399.0, -1))
    turned = read(tmp_path, block(lines, first=400, last=409))
    np.testing.assert_array_equal(turned["wavenumber"], np.arange(409.0, 399.0, -1))
    assert "exchanged" in turned.attrs["header_check"]


def test_what_the_header_says_wrong_is_said(tmp_path):
    found = read(tmp_path, block(FORMS["AFFN"]).replace("##NPOINTS", "##MAXY= 9\n##FIRSTY= 50\n##NPOINTS"))
    assert found.attrs["header_check"] == "##MAXY= 9, the table has 617"


def test_a_question_mark_is_a_missing_ordinate(tmp_path):
    found = read(tmp_path, block(["400 1 ? 3"], n=3, last=402))
    np.testing.assert_array_equal(found["signal"], [0.5, np.nan, 1.5])


def test_points_and_peaks_keep_their_own_abscissae(tmp_path):
    text = block(["5, 1; 3, 2", "4 9"], n=3, form="(XY..XY)").replace("XYDATA", "PEAK TABLE")
    found = read(tmp_path, text)
    np.testing.assert_array_equal(found["wavenumber"], [5, 3, 4])
    np.testing.assert_array_equal(found["signal"], [0.5, 1, 4.5])
    with pytest.raises(FormatError, match="has 5 numbers, wanted groups of 2"):
        read(tmp_path, text.replace("4 9", "4"))


def test_blocks_on_one_axis_are_one_dataset_and_others_a_collection(tmp_path):
    link = "##TITLE= all\n##JCAMP-DX= 4.24\n##DATA TYPE= LINK\n##BLOCKS= 2\n{}##END=\n"
    one, two = block(FORMS["PAC"], title="one"), block(FORMS["SQZ"], title="two")
    found = read(tmp_path, link.format(one + two))
    assert dict(found.sizes) == {"spectrum": 2, "channel": 10}
    assert found["spectrum"].values.tolist() == ["one", "two"]
    other = block(FORMS["SQZ"], title="two", last=418)
    found = read(tmp_path, link.format(one + other))
    assert list(found) == ["one", "two"]
    assert found["two"]["wavenumber"].values[-1] == 418
    xr.testing.assert_identical(read(tmp_path, link.format(one + other), item="two"), found["two"])
    assert list(read(tmp_path, one + other)) == ["one", "two"]
    with pytest.raises(FormatError, match="promises 9 blocks and holds 2"):
        read(tmp_path, link.format(one + other).replace("BLOCKS= 2", "BLOCKS= 9"))


NTUPLES = """##TITLE= nmr
##JCAMP-DX= 5.00
##DATA TYPE= NMR SPECTRUM
##NTUPLES= NMR SPECTRUM
##VAR_NAME= FREQUENCY, SPECTRUM/REAL, SPECTRUM/IMAG, PAGE NUMBER
##SYMBOL= X, R, I, N
##VAR_DIM= 4, 4, 4, 2
##UNITS= HZ, ARBITRARY UNITS, ARBITRARY UNITS,
##FIRST= 10, 1, 1, 1
##LAST= 4, 4, 4, 2
##FACTOR= 1, 2, 0.5, 1
##PAGE= N=1
##DATA TABLE= (X++(R..R)), XYDATA
10 1 2 3 4
##PAGE= N=2
##DATA TABLE= (X++(I..I)), XYDATA
10 5 6 7 8
##END NTUPLES= NMR SPECTRUM
##END=
"""


def test_pages_have_their_own_factors_and_one_axis(tmp_path):
    found = read(tmp_path, NTUPLES)
    np.testing.assert_array_equal(found["signal"], [[2, 4, 6, 8], [2.5, 3, 3.5, 4]])
    np.testing.assert_array_equal(found["frequency"], [10, 8, 6, 4])
    assert found["page_number"].values.tolist() == [1, 2]
    with pytest.raises(FormatError, match=r"page 'N=2' \(line 16\) holds 3 points, its header promises 4"):
        read(tmp_path, NTUPLES.replace("5 6 7 8", "5 6 7"))
    with pytest.raises(FormatError, match="names variables other than"):
        read(tmp_path, NTUPLES.replace("(X++(I..I))", "(X++(Q..Q))"))


def test_assignments_give_positions_and_heights(tmp_path):
    text = block(["(27.0, 1.0,, <7>)", "(30.5, 2.0, S, <8, a>)"], n=2, form="(XYMA)").replace(
        "XYDATA", "PEAK ASSIGNMENTS"
    )
    found = read(tmp_path, text)
    np.testing.assert_array_equal(found["wavenumber"], [27, 30.5])
    np.testing.assert_array_equal(found["signal"], [0.5, 1])


def test_a_file_that_may_be_cut_short_is_refused(tmp_path):
    text = block(FORMS["AFFN"]).replace("##NPOINTS= 10\n", "")
    assert read(tmp_path, text).sizes["channel"] == 10
    with pytest.raises(FormatError, match="ends without ##END= and gives no ##NPOINTS="):
        read(tmp_path, text.replace("##END=\n", ""))
