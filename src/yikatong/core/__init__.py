"""Ground floor: settings, money, time, ids, refusals, audit, national cryptography. No word of the domain."""
