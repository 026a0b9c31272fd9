"""Verdicts as an HTML page and as JSON.

Not here: writing files (`python -m analysis.verify`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from analysis.report import markup
from analysis.verify.compare import Finding, Verdict
from analysis.verify.running import Verified


def summary(notebooks: Sequence[Verified]) -> str:
    """Say in one sentence what came of all notebooks.

    Parameters
    ----------
    notebooks:
        As `verify` returns them.

    Returns
    -------
    :
        The sentence.
    """
    counts = _counts([finding for each in notebooks for finding in each.findings])
    verdict = "Reproduced" if not counts["changed"] else "NOT reproduced"
    unseen = f"{counts['not compared']} not compared, " if counts["not compared"] else ""
    return (
        f"{verdict}: {counts['same']} same, {unseen}{counts['moved']} moved within their uncertainty, "
        f"{counts['changed']} changed, in {len(notebooks)} notebook{'' if len(notebooks) == 1 else 's'}."
    )


def html(notebooks: Sequence[Verified]) -> str:
    """Return the verdicts as a page.

    Parameters
    ----------
    notebooks:
        As `verify` returns them.

    Returns
    -------
    :
        HTML that loads nothing.
    """
    body = [
        markup.element("h1", "Verification of the notebooks"),
        f'<div class="result">{markup.element("p", summary(notebooks))}{markup.element("p", _RULE)}</div>',
        markup.table([_overview(each) for each in notebooks]),
    ]
    for each in notebooks:
        body += _notebook(each)
    return markup.document("Verification of the notebooks", body)


def as_json(notebooks: Sequence[Verified]) -> str:
    """Return the verdicts for programs.

    Parameters
    ----------
    notebooks:
        As `verify` returns them.

    Returns
    -------
    :
        JSON text: `verdict`, `summary` and, for each notebook, all findings, checks and versions.
    """
    met = {each.verdict for each in notebooks}
    worst = next((verdict for verdict in reversed(Verdict) if verdict in met), Verdict.SAME)
    found = {
        "verdict": worst,
        "summary": summary(notebooks),
        "notebooks": [asdict(each) | {"verdict": each.verdict} for each in notebooks],
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


_RULE = (
    "A number with a stated uncertainty u may move by u, its u by 5 % or one last digit; other numbers agree to 1e-7, "
    "words and whole numbers exactly; pictures to 0.1 % of the drawn range. Digits that are not printed are not seen."
)


def _overview(each: Verified) -> dict[str, str]:
    counts = _counts(each.findings)
    return {
        "notebook": each.name,
        "verdict": each.verdict,
        **{name: str(count) for name, count in counts.items()},
        "checks": f"{sum(check.holds for check in each.checks)} of {len(each.checks)}",
        "seconds": f"{each.seconds:.1f}",
    }


def _counts(findings: Sequence[Finding]) -> dict[str, int]:
    return {verdict.value: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}


def _notebook(each: Verified) -> list[str]:
    body = [markup.element("h2", each.name)]
    changed = [finding for finding in each.findings if finding.verdict is Verdict.CHANGED]
    moved = [finding for finding in each.findings if finding.verdict in (Verdict.MOVED, Verdict.NOT_COMPARED)]
    if changed:
        body.append(markup.table([_reason(finding) for finding in changed], caption="Changed"))
    if moved:
        body.append(
            markup.table([_reason(finding) for finding in moved], caption="Moved or not compared, reported only")
        )
    body.append(markup.table([_row(finding) for finding in each.findings], caption="All numbers and pictures"))
    if each.checks:
        rows = [
            {
                "published value": check.wanted,
                "is": f"{check.published:.10g}",
                "recomputed": f"{check.recomputed:.10g}",
                "of": check.found,
                "tolerance": f"{check.tolerance:.3g}",
                "holds": "yes" if check.holds else "NO",
            }
            for check in each.checks
        ]
        body.append(markup.table(rows, caption="Published or true values that the check cell names"))
    body.append(markup.table(_versions(each.recorded, each.present), caption="Versions"))
    return body


def _row(finding: Finding) -> dict[str, str]:
    return {
        "cell": str(finding.cell),
        "where": finding.what,
        "stored": finding.stored,
        "recomputed": finding.recomputed,
        "shift in u": "" if finding.shift is None else f"{finding.shift:+.2f}",
        "published": finding.published,
        "verdict": finding.verdict,
    }


def _reason(finding: Finding) -> dict[str, str]:
    return _row(finding) | {"why": finding.why}


def _versions(recorded: Mapping[str, str], present: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {
            "package": name,
            "recorded": recorded.get(name, "not recorded"),
            "present": present.get(name, "not present"),
            "": "" if recorded.get(name) == present.get(name) else "differs",
        }
        for name in dict.fromkeys([*recorded, *present])
    ]
