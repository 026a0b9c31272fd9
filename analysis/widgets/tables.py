"""Tables of the panels, in the colours of JupyterLab.

Not here: what stands in them (the panels), tables of reports (`analysis.report`).
"""

from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["table"]

_PLAIN = "text-align: left; padding: 1px 14px 1px 0; white-space: nowrap"
_BAR = "background: linear-gradient(#56b4e966, #56b4e966) no-repeat left center / {:.1f}% 80%"


def table(
    rows: Sequence[Mapping[str, str]],
    *,
    caption: str,
    chosen: str = "",
    bars: Mapping[str, Sequence[float]] | None = None,
) -> str:
    """Return a table as HTML.

    Parameters
    ----------
    rows:
        Column to plain text, the same columns in each row; the first names the row.
    caption:
        What stands above.
    chosen:
        Name of the row that is marked, or none.
    bars:
        Column to the share in [0, 1] that is drawn behind the text of each row.

    Returns
    -------
    :
        HTML, everything in it escaped.
    """
    if not rows:
        return f"<p>{escape(caption)}: none.</p>"
    heads = "".join(f'<th scope="col" style="{_PLAIN}">{escape(name)}</th>' for name in rows[0])
    lines = []
    for k, row in enumerate(rows):
        first, *rest = row.items()
        now = ' aria-current="true"' if chosen and first[1] == chosen else ""
        mark = "; box-shadow: inset 3px 0 #d55e00; padding-left: 8px" if now else "; padding-left: 8px"
        cells = "".join(f'<td style="{_PLAIN}{_bar(bars, name, k)}">{escape(said)}</td>' for name, said in rest)
        lines.append(f'<tr{now}><th scope="row" style="{_PLAIN}{mark}">{escape(first[1])}</th>{cells}</tr>')
    return (
        f'<div style="overflow-x: auto" tabindex="0" role="region" aria-label="{escape(caption, quote=True)}">'
        f'<table class="jp-RenderedHTMLCommon" style="border-collapse: collapse; font-variant-numeric: tabular-nums">'
        f'<caption style="text-align: left; padding: 6px 0 2px">{escape(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _bar(bars: Mapping[str, Sequence[float]] | None, name: str, row: int) -> str:
    share = (bars or {}).get(name)
    return "" if share is None else f"; {_BAR.format(100 * min(max(share[row], 0.0), 1.0))}"
