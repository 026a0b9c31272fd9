"""The panel to issue a certificate: what only the laboratory knows, a preview, what is missing, HTML and DCC to keep.

Its one call is `report.certificate`. Not here: the certificate (`analysis.report`).
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from html import escape
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from analysis import figures, io, report
from analysis.calibration import AxisCalibration, CurveCalibration
from analysis.core import MetrospecError
from analysis.report import Statements
from analysis.uncertainty import Budget
from analysis.widgets.front_panel import STYLE, WRAP, FrontPanel, tuples_of
from analysis.widgets.panel import Figure, ipw

__all__ = ["CertifyPanel", "CertifySettings", "certify"]

Certified = Budget | Mapping[str, Budget] | AxisCalibration | CurveCalibration
_PAIRS = ("conditions", "equipment")
_HEIGHT = 620  # px of the preview


@dataclass(frozen=True, kw_only=True)
class CertifySettings:
    """Everything that the panel can change."""

    issued: str
    """Date of issue, ISO 8601."""
    title: str = "Certificate of measurement"
    """Of the page."""
    level: float = 0.95
    """Coverage probability of U."""
    statements: Statements = field(default_factory=Statements)
    """What the laboratory states."""


class CertifyPanel(FrontPanel[CertifySettings]):
    """A certificate as it is being written; `result` is its HTML."""

    def __init__(self, certified: Certified, settings: CertifySettings, *, name: str) -> None:
        self.certified, self._name = certified, name
        self.fields = {each.name: _field(each.name) for each in fields(Statements)}
        self.fields |= {each: _text(each) for each in ("title", "issued")}
        for each, control in self.fields.items():
            control.observe(lambda change, each=each: self._typed(each, change["new"]), names="value")
        self.preview, self.missing = ipw.HTML(), ipw.HTML()
        self.path = ipw.Text(value="certificate.html", description="keep as", style=STYLE)
        self.keep = ipw.Button(description="Keep", tooltip="HTML, or a DCC if the name ends in .xml")
        self.keep.on_click(lambda _: self._guarded(self._keep))
        super().__init__(settings, name=f"certificate of {name}")

    def write(self, path: str | Path) -> Path:
        """Write the certificate, as HTML, or as a digital calibration certificate where the name ends in `.xml`.

        Parameters
        ----------
        path:
            The file; one with other content is not overwritten.

        Returns
        -------
        :
            The file.

        Raises
        ------
        MetrospecError
            If there is another file of that name, or the result cannot be certified.
        """
        path = Path(path)
        text = self._made(self.settings, "dcc") if path.suffix.lower() == ".xml" else str(self.result)
        if path.exists() and path.read_bytes() != text.encode():
            msg = f"{path.name!r} is there already with other content; choose another name, or move that file"
            raise MetrospecError(msg)
        return io.write(text, path)

    def code(self) -> str:
        """Return the call that makes the certificate.

        Returns
        -------
        :
            Python that needs `report` and the result.
        """
        now, usual = self.settings, Statements()
        said = ", ".join(
            f"{each.name}={getattr(now.statements, each.name)!r}"
            for each in fields(Statements)
            if getattr(now.statements, each.name) != getattr(usual, each.name)
        )
        return (
            f"report.certificate({self._name}, title={now.title!r}, issued={now.issued!r}, level={now.level!r}, "
            f"statements=report.Statements({said}))"
        )

    def text(self) -> str:
        """Return what is certified, and what is not stated.

        Returns
        -------
        :
            One line for each.
        """
        lacks = self.settings.statements.missing()
        return "\n".join([
            self.settings.title,
            *self.settings.statements.sentences(),
            *(f"not stated: {name.replace('_', ' ')}: {what}" for name, what in lacks.items()),
        ])  # fmt: skip

    def _call(self, settings: CertifySettings) -> str:
        return self._made(settings, "html")

    def _made(self, settings: CertifySettings, form: Literal["html", "dcc"]) -> str:
        _require_day(settings.issued)
        return report.certificate(
            self.certified, format=form, title=settings.title, issued=settings.issued, level=settings.level,
            statements=settings.statements,
        )  # fmt: skip

    def _body(self) -> list[ipw.Widget]:
        form = ipw.Box([*self.fields.values()], layout=WRAP)
        return [form, ipw.Box([self.path, self.keep], layout=WRAP), self.missing, self.preview]

    def _show(self) -> None:
        now = self.settings
        for each, control in self.fields.items():
            control.value = _shown(getattr(now if hasattr(now, each) else now.statements, each))
        lacks = "".join(
            f"<li><b>{escape(name.replace('_', ' '))}</b>: {escape(what)}</li>"
            for name, what in now.statements.missing().items()
        )
        self.missing.value = f'<div aria-live="polite"><p>Not stated:</p><ul>{lacks}</ul></div>' if lacks else ""
        if self.result is not None:
            self.preview.value = (
                f'<iframe sandbox="" title="preview of the certificate" srcdoc="{escape(self.result)}" '
                f'style="width: 100%; max-width: 1000px; height: {_HEIGHT}px; border: 1px solid #888"></iframe>'
            )

    def _figure(self) -> Figure | None:
        if isinstance(self.certified, Budget):
            return figures.draw_budget(self.certified)
        return figures.draw_curve(self.certified) if isinstance(self.certified, CurveCalibration) else None

    def _settings_from(self, held: Mapping[str, Any]) -> CertifySettings:
        stated = {key: tuples_of(value) for key, value in held["statements"].items()}
        return CertifySettings(**{**held, "statements": Statements(**stated)})

    def _typed(self, name: str, value: str) -> None:
        def change() -> None:
            if name in ("title", "issued"):
                changed: dict[str, Any] = {name: value}
                self.set(replace(self.settings, **changed))
            else:
                stated: dict[str, Any] = {**_plain(self.settings.statements), name: _read(name, value)}
                self.set(replace(self.settings, statements=Statements(**stated)))

        if not self._quiet:
            self._guarded(change)

    def _keep(self) -> None:
        path = self.write(self.path.value)
        self.message.value = f'<p role="status">kept: {escape(path.as_posix())}</p>'


def certify(
    result: Certified, *, statements: Statements | None = None, title: str = "Certificate of measurement",
    issued: str | None = None, level: float = 0.95, name: str = "result",
) -> CertifyPanel:  # fmt: skip
    """Write a certificate: fill in what only the laboratory knows, look at it, keep it.

    Parameters
    ----------
    result:
        A budget, several by name, or a calibration.
    statements:
        What is stated at first.
    title:
        Of the certificate.
    issued:
        Date of issue, ISO 8601; None takes today.
    level:
        Coverage probability of U.
    name:
        Of the variable that holds the result, for `code()`.

    Returns
    -------
    :
        The panel: `result` (HTML), `settings`, `write(path)`, `code()`, `undo`, `redo`, `reset`, `save`, `load`.
    """
    first = CertifySettings(
        issued=issued or dt.datetime.now(dt.UTC).date().isoformat(), title=title, level=level,
        statements=statements or Statements(),
    )  # fmt: skip
    return CertifyPanel(result, first, name=name)


def _field(name: str) -> ipw.DOMWidget:
    words = name.replace("_", " ")
    if name == "location":
        places = get_args(get_type_hints(Statements)["location"])
        return ipw.Dropdown(options=list(places), description=words, style=STYLE, layout=ipw.Layout(width="auto"))
    if name in _PAIRS:
        return ipw.Textarea(
            description=words, placeholder="name: text, one a line", continuous_update=False, rows=2, style=STYLE
        )
    return _text(name)


def _text(name: str) -> ipw.Text:
    hints = {"signatories": "names, separated by commas", "begin": "2026-11-23", "end": "2026-11-23", "country": "ZZ"}
    return ipw.Text(
        description=name.replace("_", " "), placeholder=hints.get(name, ""), continuous_update=False, style=STYLE
    )


def _read(name: str, value: str) -> Any:  # noqa: ANN401 - as the field has it
    reader: dict[str, Callable[[str], Any]] = {
        "conditions": _pairs, "equipment": _pairs,
        "signatories": lambda text: tuple(part.strip() for part in text.split(",") if part.strip()),
    }  # fmt: skip
    usual = getattr(Statements(), name)
    return reader[name](value) if name in reader else value.strip() or usual


def _pairs(text: str) -> dict[str, str]:
    found = {}
    for line in filter(str.strip, text.splitlines()):
        name, colon, said = line.partition(":")
        if not colon or not name.strip() or not said.strip():
            msg = f"each line is 'name: text', such as 'temperature: (20.0 ± 0.5) °C'; got {line!r}"
            raise MetrospecError(msg)
        found[name.strip()] = said.strip()
    return found


def _shown(value: Any) -> str:  # noqa: ANN401 - of a statement
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {said}" for name, said in value.items())
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return "" if text == Statements().laboratory else text


def _plain(statements: Statements) -> dict[str, Any]:
    return {each.name: getattr(statements, each.name) for each in fields(statements)}


def _require_day(text: str) -> None:
    try:
        dt.date.fromisoformat(text)
    except ValueError as error:
        msg = f"the date of issue must be a day such as 2026-11-23, got {text!r}"
        raise MetrospecError(msg) from error
