"""Colours of figures: Okabe and Ito's, told apart with any colour vision."""

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
PURPLE, YELLOW, SKY = "#CC79A7", "#E69F00", "#56B4E9"
SERIES = BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY
"""In the order in which lines of one plot take them."""
GREY = "#666666"
"""What is compared with: bounds, baselines, grids' labels."""
