"""Ordinary models, unchanged: each a row of the matrix that test_models.py measures."""

from zoo import architecture, attention, convolution, language, layers, parameters, recurrent, wrapped

FAMILIES = (attention, recurrent, layers, parameters, convolution, architecture, wrapped, language)
ROWS = {name: row for family in FAMILIES for name, row in family.ROWS.items()}
