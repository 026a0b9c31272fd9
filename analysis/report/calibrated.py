"""What a certificate says about a calibration beside its parameters: function, range, points, covariance, a figure.

Not here: the certificate around it (`analysis.report.certificate`).
"""

from analysis.calibration import AxisCalibration, CurveCalibration
from analysis.report import markup
from analysis.uncertainty import format_u, format_value


def calibrated_section(calibration: AxisCalibration | CurveCalibration) -> list[str]:
    """Return the section on a calibration.

    Parameters
    ----------
    calibration:
        Of an axis, or a curve.

    Returns
    -------
    :
        HTML; of a curve with its points and a figure, if matplotlib is installed.
    """
    said = [line.strip() for line in str(calibration).splitlines() if line.strip()]
    if calibration.valid_from or calibration.valid_until:
        said.append(
            f"valid from {calibration.valid_from or 'not stated'} until {calibration.valid_until or 'not stated'}"
        )
    found = [markup.element("h2", "Calibration"), markup.bullets(said), _covariance(calibration)]
    if isinstance(calibration, CurveCalibration):
        found += [_points(calibration), *_figure(calibration)]
    return found


def _covariance(calibration: AxisCalibration | CurveCalibration) -> str:
    names = [each.label for each in calibration.parameters]
    rows = [
        {"parameter": name, **{other: f"{each:.5e}" for other, each in zip(names, row, strict=True)}}
        for name, row in zip(names, calibration.covariance.tolist(), strict=True)
    ]
    return markup.table(rows, caption="Covariance matrix of the parameters, in products of their units")


def _points(curve: CurveCalibration) -> str:
    table = {str(name): each.values.tolist() for name, each in curve.points.data_vars.items()}
    names = ("x", "u_x", "y", "u_y", "fitted_x", "fitted_y", "leverage")
    x_units, y_units = (f" ({units})" if units != "1" else "" for units in (curve.of_units, curve.units))
    rows = [
        {
            f"x{x_units}": _with_u(x, u_x),
            f"y{y_units}": _with_u(y, u_y),
            f"y less the curve{y_units}": format_u(y - near_y) if y >= near_y else f"-{format_u(near_y - y)}",
            "leverage": f"{leverage:.2f}",
        }
        for x, u_x, y, u_y, _, near_y, leverage in zip(*(table[name] for name in names), strict=True)
    ]
    return markup.table(rows, caption="Points, with their standard uncertainties where they were stated (k = 1)")


def _with_u(value: float, u: float) -> str:
    return format_value(value, u) if u > 0 else f"{value:.10g}"


def _figure(curve: CurveCalibration) -> list[str]:
    try:
        from analysis import figures  # noqa: PLC0415 - matplotlib is an optional extra
    except ImportError:
        return []
    drawn = figures.png(figures.draw_curve(curve))
    return [markup.figure("Curve with the band of its expanded uncertainty, and what is left of the points", drawn)]
