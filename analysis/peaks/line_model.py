"""What our line shapes share as lmfit models: one way to be made and one to guess.

Not here: the shapes (`analysis.peaks.models` and the files it gathers).
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import lmfit
import numpy as np

__all__ = ["Floats", "LineModel"]

Floats = np.ndarray[Any, np.dtype[np.float64]]


class LineModel(lmfit.Model):  # type: ignore[misc]
    """A line with `amplitude`, `center` and `sigma`; `follows` is a parameter that begins at a share of `sigma`."""

    function: ClassVar[Callable[..., Floats]]
    follows: ClassVar[tuple[str, float]]

    def __init__(
        self, *, independent_vars: Sequence[str] = ("x",), prefix: str = "", nan_policy: str = "raise"
    ) -> None:
        super().__init__(self.function, prefix=prefix, independent_vars=list(independent_vars), nan_policy=nan_policy)
        self._set_paramhints_prefix()

    def guess(self, data: Floats, x: Floats, **settings: Any) -> lmfit.Parameters:  # noqa: ANN401 - lmfit's signature
        """Estimate starting values from one peak, as the models of lmfit do.

        Parameters
        ----------
        data, x:
            Signal and axis, dims `(channel,)`.
        settings:
            `negative=True` for a dip; a value for a parameter wins over the estimate.

        Returns
        -------
        :
            Starting values.
        """
        negative = bool(settings.pop("negative", False))
        params = lmfit.models.guess_from_peak(self, np.asarray(data), np.asarray(x), negative)
        name, share = self.follows
        params[self.prefix + name].set(value=share * params[f"{self.prefix}sigma"].value)
        return lmfit.models.update_param_vals(params, self.prefix, **settings)
