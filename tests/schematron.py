"""Schematron rules on XPath, evaluated with elementpath: what a document violates.

Only what the rules of the DCC use: patterns, rules with a context, let, assert and report with a role.
"""

from elementpath import select
from elementpath.xpath31 import XPath31Parser
from lxml import etree

SCH = "{http://purl.oclc.org/dsdl/schematron}"


def violations(rules, document):
    """Return the text of each error that a document makes; of a pattern the first rule that fits a node counts."""
    schema = etree.parse(rules, etree.XMLParser(no_network=True, remove_comments=True)).getroot()
    spaces = {each.get("prefix"): each.get("uri") for each in schema.iter(f"{SCH}ns")}
    spaces["xs"] = "http://www.w3.org/2001/XMLSchema"
    found = []
    for pattern in schema.iter(f"{SCH}pattern"):
        known = _lets(pattern, document, document, {}, spaces)
        seen = set()
        for rule in pattern.findall(f"{SCH}rule"):
            context = rule.get("context")
            path = context if context.startswith("/") else f"//{context}"
            for node in select(document, path, namespaces=spaces, parser=XPath31Parser):
                if id(node) in seen and not isinstance(node, str):
                    continue
                seen.add(id(node))
                found += _broken(rule, document, node, known, spaces)
    return found


def _lets(parent, document, node, known, spaces):
    known = dict(known)
    for let in parent.findall(f"{SCH}let"):
        value = select(document, let.get("value"), namespaces=spaces, parser=XPath31Parser, variables=known, item=node)
        known[let.get("name")] = value
    return known


def _broken(rule, document, node, known, spaces):
    known = _lets(rule, document, node, known, spaces)
    for test in rule:
        if test.tag not in (f"{SCH}assert", f"{SCH}report") or test.get("role") not in (None, "error", "fatal"):
            continue
        value = select(
            document,
            f"boolean({test.get('test')})",
            namespaces=spaces,
            parser=XPath31Parser,
            variables=known,
            item=node,
        )
        if value is (test.tag == f"{SCH}report"):
            yield " ".join("".join(test.itertext()).split())
