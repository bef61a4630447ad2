"""Sandboxes of systems outside the house. Each runs beside us as a process of its own and knows nothing of us."""
