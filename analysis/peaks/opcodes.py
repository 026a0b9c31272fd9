"""Operation codes of tied parameters: below `NEGATE` binary, from there on unary.

Not here: what they compute (`analysis.peaks.program`, `analysis.peaks.ties`).
"""

CONSTANT = 0
LOAD = 1
ADD = 2
SUBTRACT = 3
MULTIPLY = 4
DIVIDE = 5
POWER = 6
MAXIMUM = 7
MINIMUM = 8
NEGATE = 20
SQRT = 21
EXP = 22
LOG = 23
SIN = 24
COS = 25
TAN = 26
ABS = 27
GAMMA = 28
ERFCX = 29
ASIN = 30
