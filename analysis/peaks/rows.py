"""Where things stand in the flat work space of one block of points.

Not here: what fills it (`analysis.peaks.normal`, `analysis.peaks.shapes`).
"""

BLOCK = 128
# Rows of the front array: axis values, weights, the weighted model, and four to spare.
X, WEIGHT, MODEL, SPARE = 0, BLOCK, 2 * BLOCK, 3 * BLOCK
FRONT = 7 * BLOCK
