"""社会保障卡 at the level of its chip: a virtual card, and the terminal's half of the national interface."""
