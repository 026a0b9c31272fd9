"""The table of components that the batched engine knows: codes, parameters, and what each parameter does.

Not here: their formulas (`analysis.peaks.shapes`, `analysis.peaks.profiles`).
"""

from dataclasses import dataclass

__all__ = ["BY_CODE", "POLYNOMIALS", "SHAPES", "Parameter", "Shape", "key_of"]

GAUSSIAN = 0
LORENTZIAN = 1
PSEUDO_VOIGT = 2
VOIGT = 3
POLYNOMIAL = 4
SPLIT_LORENTZIAN = 5
SPLIT_GAUSSIAN = 6
SPLIT_PSEUDO_VOIGT = 7
SPLIT_PEARSON7 = 8
PEARSON7 = 9
MOFFAT = 10
STUDENTS_T = 11
EXPONENTIAL_GAUSSIAN = 12
SKEWED_GAUSSIAN = 13
SKEWED_VOIGT = 14
DONIACH = 15
BREIT_WIGNER = 16
LOGNORMAL = 17
DAMPED_OSCILLATOR = 18
DAMPED_HARMONIC_OSCILLATOR = 19
EXPONENTIAL = 20
POWER_LAW = 21
SINE = 22
# The forms of a step and of a rectangle follow each other in the order of FORMS.
STEP = 23
RECTANGLE = 27
THOMPSON_COX_HASTINGS = 31
CORE_LEVEL = 32
AXIAL_VOIGT = 33
FORMS = ("linear", "arctan", "erf", "logistic")

# What a parameter does. LINEAR: the component is proportional to it. CENTER: moves it along the axis.
# WIDTH: a length along the axis. SHAPE: dimensionless, `scale` is a sensible step. RATE: an inverse length.
LINEAR, CENTER, WIDTH, SHAPE, RATE = range(5)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a shape; its units are signal and axis to these powers, None if they are not fixed."""

    name: str
    role: int
    units: tuple[int, int] | None
    scale: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One component: its code and its parameters in the engine's order."""

    code: int
    parameters: tuple[Parameter, ...]
    peak: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """Names without prefix."""
        return tuple(parameter.name for parameter in self.parameters)


def _length(name: str, role: int = WIDTH) -> Parameter:
    return Parameter(name=name, role=role, units=(0, 1))


def _number(name: str, scale: float) -> Parameter:
    return Parameter(name=name, role=SHAPE, units=(0, 0), scale=scale)


_AREA = Parameter(name="amplitude", role=LINEAR, units=(1, 1))
_HEIGHT = Parameter(name="amplitude", role=LINEAR, units=(1, 0))
_UNKNOWN = Parameter(name="amplitude", role=LINEAR, units=None)
_CENTER = _length("center", CENTER)
_SIGMA, _SIGMA_R, _GAMMA = _length("sigma"), _length("sigma_r"), _length("gamma")
_BASIC = (_AREA, _CENTER, _SIGMA)
_AXIAL = (*_BASIC, _GAMMA, _number("sl", 0.01), _number("hl", 0.01))
_SPLIT = (*_BASIC, _SIGMA_R)
_RECTANGLE = (_HEIGHT, _length("center1", CENTER), _length("sigma1"), _length("center2", CENTER), _length("sigma2"))

# By lmfit's name of the class, with its form where it has one.
SHAPES: dict[str, Shape] = {
    "GaussianModel": Shape(code=GAUSSIAN, parameters=_BASIC),
    "LorentzianModel": Shape(code=LORENTZIAN, parameters=_BASIC),
    "PseudoVoigtModel": Shape(code=PSEUDO_VOIGT, parameters=(*_BASIC, _number("fraction", 0.5))),
    "VoigtModel": Shape(code=VOIGT, parameters=(*_BASIC, _GAMMA)),
    "SplitLorentzianModel": Shape(code=SPLIT_LORENTZIAN, parameters=_SPLIT),
    "SplitGaussianModel": Shape(code=SPLIT_GAUSSIAN, parameters=_SPLIT),
    "SplitPseudoVoigtModel": Shape(
        code=SPLIT_PSEUDO_VOIGT, parameters=(*_SPLIT, _number("fraction", 0.5), _number("fraction_r", 0.5))
    ),
    "SplitPearson7Model": Shape(
        code=SPLIT_PEARSON7, parameters=(*_SPLIT, _number("expon", 0.5), _number("expon_r", 0.5))
    ),
    "Pearson7Model": Shape(code=PEARSON7, parameters=(*_BASIC, _number("expon", 0.5))),
    "CoreLevelModel": Shape(code=CORE_LEVEL, parameters=(_UNKNOWN, _CENTER, _SIGMA, _GAMMA, _number("asymmetry", 0.1))),
    "ThompsonCoxHastingsModel": Shape(code=THOMPSON_COX_HASTINGS, parameters=_AXIAL),
    "AxialVoigtModel": Shape(code=AXIAL_VOIGT, parameters=_AXIAL),
    "MoffatModel": Shape(code=MOFFAT, parameters=(_HEIGHT, _CENTER, _SIGMA, _number("beta", 0.5))),
    # sigma is both the square of a length and the exponent, so it has no units.
    "StudentsTModel": Shape(
        code=STUDENTS_T, parameters=(_AREA, _CENTER, Parameter(name="sigma", role=WIDTH, units=None))
    ),
    "ExponentialGaussianModel": Shape(
        code=EXPONENTIAL_GAUSSIAN, parameters=(*_BASIC, Parameter(name="gamma", role=RATE, units=(0, -1)))
    ),
    "SkewedGaussianModel": Shape(code=SKEWED_GAUSSIAN, parameters=(*_BASIC, _number("gamma", 1.0))),
    "SkewedVoigtModel": Shape(code=SKEWED_VOIGT, parameters=(*_BASIC, _GAMMA, _number("skew", 1.0))),
    "DoniachModel": Shape(code=DONIACH, parameters=(_UNKNOWN, _CENTER, _SIGMA, _number("gamma", 0.1))),
    "BreitWignerModel": Shape(code=BREIT_WIGNER, parameters=(_HEIGHT, _CENTER, _SIGMA, _number("q", 1.0))),
    # center and sigma are those of ln x.
    "LognormalModel": Shape(code=LOGNORMAL, parameters=(_AREA, _number("center", 0.5), _number("sigma", 0.2))),
    "DampedOscillatorModel": Shape(code=DAMPED_OSCILLATOR, parameters=(_HEIGHT, _CENTER, _number("sigma", 0.1))),
    "DampedHarmonicOscillatorModel": Shape(code=DAMPED_HARMONIC_OSCILLATOR, parameters=(*_BASIC, _GAMMA)),
    "ExponentialModel": Shape(code=EXPONENTIAL, parameters=(_HEIGHT, _length("decay")), peak=False),
    "PowerLawModel": Shape(code=POWER_LAW, parameters=(_UNKNOWN, _number("exponent", 0.5)), peak=False),
    "SineModel": Shape(
        code=SINE,
        parameters=(_HEIGHT, Parameter(name="frequency", role=RATE, units=(0, -1)), _number("shift", 0.5)),
        peak=False,
    ),
    **{
        f"StepModel/{form}": Shape(code=STEP + k, parameters=(_HEIGHT, _CENTER, _SIGMA), peak=False)
        for k, form in enumerate(FORMS)
    },
    **{
        f"RectangleModel/{form}": Shape(code=RECTANGLE + k, parameters=_RECTANGLE, peak=False)
        for k, form in enumerate(FORMS)
    },
}
BY_CODE = {shape.code: shape for shape in SHAPES.values()}
# Coefficients from the lowest power up.
POLYNOMIALS: dict[str, tuple[str, ...]] = {
    "ConstantModel": ("c",),
    "LinearModel": ("intercept", "slope"),
    "QuadraticModel": ("c", "b", "a"),
}


def key_of(name: str, form: str | None) -> str:
    """Return the key of a class in `SHAPES`.

    Parameters
    ----------
    name:
        Of the class.
    form:
        Its form, None if it has none.

    Returns
    -------
    :
        The key; it need not be in the table.
    """
    return name if form is None else f"{name}/{'arctan' if form == 'atan' else form}"
