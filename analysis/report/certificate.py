"""Certificates of results: HTML that stands alone and prints on A4, or DCC XML.

The same result, settings and versions give the same page; the date is an argument. Not here: the elements of the XML
(`analysis.report.dcc`), the general report page (`analysis.report.page`).
"""

import math
from collections.abc import Mapping, Sequence

from analysis.calibration import AxisCalibration, CurveCalibration
from analysis.core import MetrospecError, UncertaintyError, history
from analysis.report import markup, steps
from analysis.report.budgets import dof_text, rows_by_input, rows_by_tag
from analysis.report.calibrated import calibrated_section
from analysis.report.dcc import write_dcc
from analysis.report.dcc_results import Stated
from analysis.report.statements import Statements
from analysis.report.tables import tabular
from analysis.uncertainty import Agreement, Budget, compare, coverage_factor, format_u, format_value, propagate, sample
from analysis.uncertainty.formatting import last_place

SEED = 1  # the same certificate every time
_NOT_ACCREDITED = (
    "This certificate was not issued by an accredited laboratory. It states what the software computed from the data "
    "and the inputs listed above; whoever signs it answers for them."
)


def certificate(
    result: Budget | Mapping[str, Budget] | AxisCalibration | CurveCalibration,
    *,
    format: str = "html",  # noqa: A002 - the design's name
    title: str = "Certificate of measurement",
    particulars: Mapping[str, str] | None = None,
    issued: str | None = None,
    statements: Sequence[str] | Statements = (),
    checks: Sequence[object] = (),
    figures: Mapping[str, bytes] | None = None,
    level: float = 0.95,
) -> str:
    """Write a certificate of one or several results.

    Parameters
    ----------
    result:
        A budget, budgets by name, or a calibration, whose parameters, points and range it then states.
    format:
        `"html"`, or `"dcc"` for a digital calibration certificate (DCC 3.3.0 XML), which takes no particulars and
        figures, and no checks but an `Agreement`.
    title:
        What stands on top.
    particulars:
        Item, customer, instrument, place and the like, name to text.
    issued:
        Date of issue as it is to be printed; None leaves a line to fill in by hand.
    statements:
        Your own statements, for example of accreditation, as sentences or as `Statements`; without any the certificate
        says that it was not issued by an accredited laboratory. A DCC without a country has the code ZZ, which its
        schema takes and its Schematron refuses.
    checks:
        Verdicts to show: anything with a sentence as its `str` and rows as its `table()`, an `Agreement`, plain text.
        Without an `Agreement` each budget is checked by draws (JCGM 101, clause 8) with a fixed seed.
    figures:
        Caption to the bytes of a PNG file.
    level:
        Coverage probability of the expanded uncertainty, in (0, 1).

    Returns
    -------
    :
        A complete HTML page, or an XML document.

    Raises
    ------
    MetrospecError
        If the format is unknown or cannot hold what was given, there is no result, or a model is a lambda or a local
        function, which nobody could run again.
    UncertaintyError
        If `level` is out of range.
    """
    if format not in ("html", "dcc"):
        msg = f"format of a certificate must be 'html' or 'dcc', got {format!r}"
        raise MetrospecError(msg)
    agreements = [each for each in checks if isinstance(each, Agreement)]
    if format == "dcc" and (particulars or len(agreements) < len(checks) or figures):
        msg = (
            "a DCC takes no particulars or figures, and no checks but an Agreement; give report.Statements(...), "
            "or use format='html'"
        )
        raise MetrospecError(msg)
    stated = statements if isinstance(statements, Statements) else Statements()
    sentences = _sentences(statements)
    if format == "dcc" and isinstance(result, AxisCalibration | CurveCalibration):
        rows = [Stated.of(each.label, each) for each in result.parameters]
        whole = result.to_dataset()
        return write_dcc(
            rows, title=title, statements=stated, declarations=sentences, issued=issued, level=level,
            calibration=whole.assign_attrs(kind=type(result).__name__),
        )  # fmt: skip
    given: object = result
    if not isinstance(given, Budget | Mapping | AxisCalibration | CurveCalibration):
        msg = f"a certificate is of budgets or a calibration, got a {type(given).__name__}; see uncertainty.propagate"
        raise MetrospecError(msg)
    budgets = _budgets(result)
    _require_certifiable(budgets)
    calibrated = isinstance(result, AxisCalibration | CurveCalibration)
    verdicts = [] if calibrated else _verdicts(budgets, checks)
    if format == "dcc":
        rows = [Stated.of(name, each) for name, each in budgets.items()]
        sentences = [*sentences, *(_said(each) for each in [*verdicts, *agreements])]
        return write_dcc(rows, title=title, statements=stated, declarations=sentences, issued=issued, level=level)
    body = [
        *_head(title, budgets, particulars or {}, issued),
        *_results(budgets, level),
        *(calibrated_section(result) if isinstance(result, AxisCalibration | CurveCalibration) else []),
        *_checks([*verdicts, *checks]),
        *[markup.figure(caption, png) for caption, png in (figures or {}).items()],
    ]
    for name, budget in {} if calibrated else budgets.items():
        body += _budget(name, budget)
    body += [*_traceability(budgets), *_provenance(budgets), *_statements(sentences)]
    return markup.document(title, body)


def _budgets(result: Budget | Mapping[str, Budget] | AxisCalibration | CurveCalibration) -> dict[str, Budget]:
    """Return what is certified as budgets by name; the parameters of a calibration are budgets of themselves."""
    if isinstance(result, Budget):
        return {result.name: result}
    if isinstance(result, Mapping):
        return dict(result)
    return {
        each.label: propagate("calibration", {"calibration": each}, name=each.label, units=each.units)
        for each in result.parameters
    }


def coverage_sentence(budget: Budget, level: float) -> str:
    """Say what an expanded uncertainty is.

    Parameters
    ----------
    budget:
        Made by `uncertainty.propagate`.
    level:
        Coverage probability, in (0, 1).

    Returns
    -------
    :
        The sentence that stands under the result.

    Raises
    ------
    UncertaintyError
        If `level` is out of range.
    """
    k = coverage_factor(budget.dof, level)
    shape = (
        "a normal distribution"
        if math.isinf(budget.dof) or budget.dof >= 1e6  # noqa: PLR2004 - t is normal to nine digits there
        else f"a t distribution with {dof_text(budget.dof)} effective degrees of freedom"
    )
    return (
        f"The expanded uncertainty is the standard uncertainty multiplied by the coverage factor k = {k:.2f}, "
        f"which for {shape} corresponds to a coverage probability of about {100 * level:g} %. "
        "The standard uncertainty was determined by JCGM 100:2008 (GUM)."
    )


def expanded(budget: Budget, level: float) -> str:
    """Write a result with its expanded uncertainty.

    Parameters
    ----------
    budget:
        Made by `uncertainty.propagate`.
    level:
        Coverage probability, in (0, 1).

    Returns
    -------
    :
        For example `520.45 ± 0.28 cm-1`, the expanded uncertainty rounded to two digits.

    Raises
    ------
    UncertaintyError
        If `level` is out of range.
    """
    units = "" if budget.units == "1" else f" {budget.units}"
    return f"{format_value(budget.value, budget.U(level))}{units}"


def _require_certifiable(budgets: Mapping[str, Budget]) -> None:
    if not budgets:
        msg = "a certificate needs a result; got an empty dict of budgets"
        raise MetrospecError(msg)
    for name, budget in budgets.items():
        given: object = budget
        if not isinstance(given, Budget):
            msg = (
                f"a certificate is of budgets, got {type(given).__name__} for {name!r}; uncertainty.propagate makes one"
            )
            raise MetrospecError(msg)
        if "<lambda>" in budget.formula or "<locals>" in budget.formula:
            msg = (
                f"the model of {name!r} is {budget.formula}, which nobody could run again; a certificate needs "
                "a formula, or a function that can be imported"
            )
            raise MetrospecError(msg)


def _head(title: str, budgets: Mapping[str, Budget], particulars: Mapping[str, str], issued: str | None) -> list[str]:
    heads = [history.parse(each.history)["head"] for each in budgets.values() if each.history]
    rows = {
        **particulars,
        "Date of issue": issued if issued is not None else "____________________",
        "Record": ", ".join(dict.fromkeys(heads)) or "no history",
    }
    return [markup.element("h1", title), markup.pairs(rows)]


def _results(budgets: Mapping[str, Budget], level: float) -> list[str]:
    found = [markup.element("h2", "Result" if len(budgets) == 1 else "Results")]
    if len(budgets) == 1:
        ((name, budget),) = budgets.items()
        line = markup.element("p", f"{name} = {expanded(budget, level)}")
        under = markup.element(
            "p",
            f"k = {coverage_factor(budget.dof, level):.2f}, coverage probability {100 * level:g} %, "
            f"effective degrees of freedom {dof_text(budget.dof)}, standard uncertainty {format_u(budget.u)} "
            f"{'' if budget.units == '1' else budget.units}".rstrip(),
        )
        found.append(f'<div class="result">{line}{under}</div>')
    else:
        rows = [_result_row(name, each, level) for name, each in budgets.items()]
        found.append(
            markup.table(rows, caption=f"Expanded uncertainties for a coverage probability of {100 * level:g} %")
        )
        found += _correlations(budgets)
    sentences = dict.fromkeys(coverage_sentence(each, level) for each in budgets.values())
    common = (
        "The expanded uncertainty is the standard uncertainty multiplied by the coverage factor k of the table, from "
        f"Student's t for the effective degrees of freedom and a coverage probability of about {100 * level:g} %. "
        "Standard uncertainties were determined by JCGM 100:2008 (GUM)."
    )
    found.append(markup.element("p", next(iter(sentences)) if len(sentences) == 1 else common))
    found += [markup.element("p", each, role="note") for each in _notes(budgets)]
    return found


def _notes(budgets: Mapping[str, Budget]) -> list[str]:
    notes = dict.fromkeys(note for each in budgets.values() for note in each.notes)
    return [f"{note[:1].upper()}{note[1:]}." for note in notes]


def _result_row(name: str, budget: Budget, level: float) -> dict[str, str]:
    u = budget.U(level)
    places = max(0, -last_place(u)) if u > 0 else 6
    return {
        "quantity": name,
        "value": f"{budget.value:.{places}f}" if places < 9 else f"{budget.value:.12g}",  # noqa: PLR2004
        "U": format_u(u),
        "units": budget.units,
        "k": f"{coverage_factor(budget.dof, level):.2f}",
        "degrees of freedom": dof_text(budget.dof),
    }


def _correlations(budgets: Mapping[str, Budget]) -> list[str]:
    rows = [
        {"r": name, **{other: f"{each.correlation(theirs):+.3f}" for other, theirs in budgets.items()}}
        for name, each in budgets.items()
    ]
    return [markup.table(rows, caption="Correlation coefficients of the results")]


def _verdicts(budgets: Mapping[str, Budget], checks: Sequence[object]) -> list[object]:
    """Check linear propagation by draws (JCGM 101, clause 8), unless that was done."""
    found: list[object] = []
    for name, budget in budgets.items():
        if budget.u == 0 or any(isinstance(each, Agreement) for each in checks):
            continue
        try:
            found.append(compare(budget, sample(budget, seed=SEED)))
        except UncertaintyError as error:
            found.append(f"Linear propagation was not checked by draws for {name}: {error}")
    return found


def _said(check: object) -> str:
    return check.sentence if isinstance(check, Agreement) else str(check)


def _checks(checks: Sequence[object]) -> list[str]:
    found = [markup.element("h2", "Checks")] if checks else []
    for each in checks:
        doubtful = isinstance(each, Agreement) and not each.valid
        found.append(markup.element("p", _said(each), role="note" if doubtful else ""))
        rows = tabular(each)
        if rows:
            found.append(markup.table(rows))
    return found


def _budget(name: str, budget: Budget) -> list[str]:
    return [
        markup.element("h2", f"Uncertainty budget of {name}"),
        f"<p>Measurement model: {markup.element('code', f'{name} = {budget.formula}')}</p>",
        markup.table(rows_by_input(budget), caption="Inputs of the model, with their standard uncertainty (k = 1)"),
        markup.table(
            rows_by_tag(budget),
            caption="Independent sources and their part of the variance; sources of one kind are gathered in one row",
            bars="share",
        ),
    ]


def _traceability(budgets: Mapping[str, Budget]) -> list[str]:
    seen: dict[tuple[str, str, str], int] = {}
    for budget in budgets.values():
        for each in budget.contributions:
            tag = each.source.tags[0] if each.source.tags else each.name
            stated = each.source.origin or ("evaluated from the data" if each.source.kind == "A" else "not stated")
            seen[tag, each.source.kind, stated] = seen.get((tag, each.source.kind, stated), 0) + 1
    rows = [
        {"source": f"{tag} ({count} sources)" if count > 1 else tag, "type": kind, "origin": stated}
        for (tag, kind, stated), count in seen.items()
    ]
    stated_inputs = [
        {"input": f"{name}: {key}", "origin": quantity.source}
        for name, budget in budgets.items()
        for key, quantity in budget.inputs.items()
        if quantity.source and len(quantity.parts()) != 1
    ]
    found = [markup.element("h2", "Traceability"), markup.table(rows, caption="Where the numbers come from")]
    return [*found, markup.table(stated_inputs)] if stated_inputs else found


def _provenance(budgets: Mapping[str, Budget]) -> list[str]:
    found = [markup.element("h2", "Data, steps and software")]
    texts = list(dict.fromkeys(each.history for each in budgets.values() if each.history))
    if not texts:
        return [
            *found,
            markup.element("p", "The result carries no history, so it cannot be computed again from this page."),
        ]
    found.append(markup.table(steps.data_rows(texts), caption="Data"))
    order = "Steps, in the order in which they can be done again"
    found.append(markup.table(steps.step_rows(texts), caption=order))
    return [*found, markup.pairs(steps.software(texts))]


def _sentences(statements: Sequence[str] | Statements) -> list[str]:
    if not isinstance(statements, Statements):
        return list(statements) or [_NOT_ACCREDITED]
    return [*statements.sentences(), *([] if statements.accreditation else [_NOT_ACCREDITED])]


def _statements(sentences: Sequence[str]) -> list[str]:
    found = [markup.element("h2", "Statements")]
    if list(sentences) == [_NOT_ACCREDITED]:
        return [*found, markup.element("p", _NOT_ACCREDITED, role="note")]
    return [*found, markup.bullets(list(sentences))]
