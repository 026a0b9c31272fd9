"""HTML that prints on paper, works offline and escapes all that it is given.

Not here: what the pages say (`analysis.report.certificate`, `analysis.report.page`).
"""

import base64
import re
from collections.abc import Mapping, Sequence
from html import escape

_NUMBER = re.compile(r"|∞|NaN|\(?[-+]?\d[\d.]*( ± [\d.∞]+\)?)?(e[-+]?\d+)?( %)?")
_POWER = re.compile(r"\b[A-Za-z]{1,6}-\d\b")
_SHARE = re.compile(r"(\d+(?:\.\d+)?) %")
_SHORT = 16
_LONG_WORD = 26
_PNG = b"\x89PNG\r\n\x1a\n"

CSS = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
html { background: #eef1f4; }
body { max-width: 190mm; margin: 8mm auto; padding: 14mm 16mm; background: #fff; color: #1a2027;
  font: 10.5pt/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif; }
h1 { font-size: 19pt; line-height: 1.2; margin: 0 0 2mm; }
h2 { font-size: 12.5pt; margin: 9mm 0 2mm; padding-bottom: 1mm; border-bottom: 0.4mm solid #1f4e79; color: #1f4e79; }
h3 { font-size: 10.5pt; margin: 5mm 0 1.5mm; }
p, ul { margin: 0 0 2.5mm; }
ul { padding-left: 5mm; }
table { border-collapse: collapse; width: 100%; margin: 1mm 0 4mm; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: #46525e; font-size: 9.5pt; padding-bottom: 1.5mm; }
th, td { text-align: left; vertical-align: top; padding: 1.1mm 2.5mm 1.1mm 0; border-bottom: 0.2mm solid #d5dbe1; }
thead th { border-bottom: 0.4mm solid #7b8794; font-size: 9.5pt; color: #46525e; }
tbody th { font-weight: 600; }
.number { text-align: right; white-space: nowrap; }
.short { white-space: nowrap; }
thead .number { white-space: normal; }
.words { overflow-wrap: break-word; }
.broken, code { overflow-wrap: anywhere; }
td.broken { min-width: 46mm; }
.scroll { overflow-x: auto; }
.scroll > table { min-width: 130mm; }
code { font: 9pt/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.result { border: 0.4mm solid #1f4e79; background: #f4f8fc; padding: 4mm 6mm; margin: 3mm 0 4mm; }
.result p { font-size: 15pt; line-height: 1.35; font-weight: 600; margin: 0; }
.result p + p { font-size: 10.5pt; font-weight: 400; color: #46525e; }
.note { border-left: 1.2mm solid #b45f06; background: #fdf5ea; padding: 2mm 4mm; margin: 3mm 0; }
.bar { background: linear-gradient(#c9dcef, #c9dcef) no-repeat left center; print-color-adjust: exact;
  -webkit-print-color-adjust: exact; }
td.bar { min-width: 32mm; }
.small { font-size: 9pt; color: #46525e; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.6mm 6mm; margin: 3mm 0; }
dt { color: #46525e; } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 3mm 0 5mm; break-inside: avoid; } figure img { max-width: 100%; height: auto; }
figcaption { font-size: 9.5pt; color: #46525e; }
@page { size: A4; margin: 16mm 15mm; }
@media (max-width: 700px) { body { margin: 0; padding: 6mm 4mm; } dl { grid-template-columns: 1fr; } }
@media print {
  html { background: #fff; } body { max-width: none; margin: 0; padding: 0; font-size: 9.5pt; }
  h2, h3, caption { break-after: avoid; } tr, .result, .note { break-inside: avoid; }
  thead { display: table-header-group; }
  .scroll { overflow: visible; } .scroll > table { min-width: 0; }
}
"""


def document(title: str, body: Sequence[str]) -> str:
    """Return a complete HTML page that loads nothing.

    Parameters
    ----------
    title:
        Plain text, escaped here.
    body:
        HTML, made by the functions of this module.

    Returns
    -------
    :
        The page.
    """
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    head = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        f"<title>{escape(title)}</title>",
        f"<style>{CSS}</style>",
        "</head>",
        "<body>",
        "<main>",
    ]
    return "\n".join([*head, *body, "</main>", "</body>", "</html>", ""])


def element(tag: str, text: str, *, role: str = "") -> str:
    """Return an element with plain text in it.

    Parameters
    ----------
    tag:
        Name of the element.
    text:
        Plain text, escaped here.
    role:
        Its class in the style sheet.

    Returns
    -------
    :
        HTML.
    """
    kind = f' class="{escape(role)}"' if role else ""
    return f"<{tag}{kind}>{_inline(text)}</{tag}>"


def table(rows: Sequence[Mapping[str, str]], *, caption: str = "", bars: str = "") -> str:
    """Return a table with its first column as row headings.

    Parameters
    ----------
    rows:
        Column to plain text, the same columns in each row.
    caption:
        Plain text above the table.
    bars:
        A column of percentages that are also drawn as bars.

    Returns
    -------
    :
        HTML; a paragraph where there are no rows.
    """
    if not rows:
        return element("p", f"{caption}: none." if caption else "None.")
    columns = list(rows[0])
    kinds = {column: _kind([row[column] for row in rows]) for column in columns}
    heads = "".join(
        f'<th scope="col"{" class=number" if kinds[column] == "number" else ""}>{escape(column)}</th>'
        for column in columns
    )
    lines = []
    for row in rows:
        first = f'<th scope="row" class="{kinds[columns[0]]}">{_inline(row[columns[0]])}</th>'
        cells = "".join(_cell(row[column], kinds[column], bar=column == bars) for column in columns[1:])
        lines.append(f"<tr>{first}{cells}</tr>")
    top = f"<caption>{escape(caption)}</caption>" if caption else ""
    body = f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return f'<div class="scroll"><table>{top}{body}</table></div>'


def pairs(items: Mapping[str, str]) -> str:
    """Return a list of names and what they are.

    Parameters
    ----------
    items:
        Plain text to plain text.

    Returns
    -------
    :
        HTML.
    """
    return f"<dl>{''.join(f'<dt>{escape(key)}</dt><dd>{escape(item)}</dd>' for key, item in items.items())}</dl>"


def bullets(items: Sequence[str]) -> str:
    """Return a list of sentences.

    Parameters
    ----------
    items:
        Plain text.

    Returns
    -------
    :
        HTML.
    """
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def figure(caption: str, png: bytes) -> str:
    """Return a picture that is part of the page.

    Parameters
    ----------
    caption:
        Plain text; also what a screen reader says.
    png:
        A PNG file.

    Returns
    -------
    :
        HTML.

    Raises
    ------
    ValueError
        If the bytes are not a PNG file.
    """
    if not png.startswith(_PNG):
        msg = f"figure {caption!r} must be the bytes of a PNG file, got {png[:8]!r}; use figure.savefig(format='png')"
        raise ValueError(msg)
    data = base64.b64encode(png).decode("ascii")
    alt = escape(caption)
    return f'<figure><img alt="{alt}" src="data:image/png;base64,{data}"><figcaption>{alt}</figcaption></figure>'


def _cell(text: str, kind: str, *, bar: bool) -> str:
    share = _SHARE.fullmatch(text) if bar else None
    drawn = f' style="background-size: {share[1]}% 72%"' if share else ""
    return f'<td class="{kind}{" bar" if share else ""}"{drawn}>{_inline(text)}</td>'


def _inline(text: str) -> str:
    """Escape text, and keep units such as cm-1 in one line."""
    return _POWER.sub(r'<span class="short">\g<0></span>', escape(text))


def _kind(cells: Sequence[str]) -> str:
    """Say how a column is set: numbers to the right, short words in one line, long ones broken where they must be."""
    if all(_NUMBER.fullmatch(cell) for cell in cells) and any(cells):
        return "number"
    if all(len(cell) <= _SHORT for cell in cells):
        return "short"
    longest = max((len(word) for cell in cells for word in cell.split()), default=0)
    return "broken" if longest > _LONG_WORD else "words"
