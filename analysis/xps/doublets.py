"""Spin-orbit doublets: two lines tied by what is known of them.

Not here: the lines (`analysis.peaks`).
"""

import lmfit

from analysis.core import ModelError, did_you_mean

__all__ = ["doublet"]

RATIOS = {"p": 1.0 / 2.0, "d": 2.0 / 3.0, "f": 3.0 / 4.0}
"""Of the weaker to the stronger line, (2 j₋ + 1) / (2 j₊ + 1) with j = l ± 1/2."""


def doublet(
    params: lmfit.Parameters,
    strong: str,
    weak: str,
    *,
    splitting: float,
    ratio: float | str,
    vary_splitting: bool = False,
    vary_ratio: bool = False,
    same_width: bool = True,
) -> lmfit.Parameters:
    """Tie the two lines of a doublet.

    Two parameters are added, `<weak>splitting` and `<weak>ratio`; `center` and `amplitude` of the weak line follow from
    them. What else the lines have (gamma, asymmetry, and sigma with `same_width`) becomes that of the strong line.

    Parameters
    ----------
    params:
        Parameters of a model that has both lines; not changed.
    strong, weak:
        Prefixes of the lines, for example `f7_` and `f5_`.
    splitting:
        Distance of the centres, in units of the axis, negative where the weak line lies at smaller x.
    ratio:
        Of the amplitudes, or the letter of the subshell, `"p"`, `"d"` or `"f"`, for 1/2, 2/3 and 3/4.
    vary_splitting, vary_ratio:
        Whether the fit finds them, from these values on.
    same_width:
        False leaves `sigma` and `gamma` of the weak line free (Coster-Kronig decay widens the weak line of a p level).

    Returns
    -------
    :
        New parameters.

    Raises
    ------
    ModelError
        If a line is not there, or the ratio is not.
    """
    if isinstance(ratio, str) and ratio not in RATIOS:
        msg = f"ratio must be a number or one of {list(RATIOS)}, got {ratio!r}.{did_you_mean(ratio, RATIOS)} "
        raise ModelError(msg + "An s level has no doublet")
    share = RATIOS[ratio] if isinstance(ratio, str) else float(ratio)
    if not share > 0.0:
        msg = f"ratio must be > 0, got {share:g}. Give that of the weak to the strong line"
        raise ModelError(msg)
    roots = [name.removeprefix(strong) for name in params if name.startswith(strong)]
    _require_lines(params, roots, strong, weak)
    tied = params.copy()
    tied.add(f"{weak}splitting", value=float(splitting), vary=vary_splitting)
    tied.add(f"{weak}ratio", value=share, min=0.0, vary=vary_ratio)
    tied[f"{weak}center"].set(expr=f"{strong}center + {weak}splitting")
    tied[f"{weak}amplitude"].set(expr=f"{strong}amplitude * {weak}ratio")
    own = {"center", "amplitude", "fwhm", "height", *(() if same_width else ("sigma", "gamma"))}
    for root in roots:
        name = weak + root
        if root not in own and name in tied:
            tied[name].set(expr=strong + root)
    return tied


def _require_lines(params: lmfit.Parameters, roots: list[str], strong: str, weak: str) -> None:
    for prefix, has in ((strong, roots), (weak, [n.removeprefix(weak) for n in params if n.startswith(weak)])):
        if not {"center", "amplitude"} <= set(has):
            known = sorted(name.removesuffix("center") for name in params if name.endswith("center"))
            msg = f"no line with the prefix {prefix!r}; these parameters have {known}.{did_you_mean(prefix, known)}"
            raise ModelError(msg)
