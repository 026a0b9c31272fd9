"""Results as text, tables, HTML pages and certificates: strings and bytes, for the caller to write."""

from analysis.report.budgets import budget_table
from analysis.report.certificate import certificate
from analysis.report.page import html
from analysis.report.show import Shown, show, text
from analysis.report.statements import Statements
from analysis.report.tables import csv, table, xlsx

__all__ = ["Shown", "Statements", "budget_table", "certificate", "csv", "html", "show", "table", "text", "xlsx"]
