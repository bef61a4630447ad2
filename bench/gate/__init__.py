"""How fast the gate is, beside pgbench, COPY and a plain Django view on the same machine in the same minute."""
