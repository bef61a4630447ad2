"""The gate: terminals ask here whether a code may pass, and hand in what passed while they were offline.

Knows the tables, not Django (docs/spec/gate-v1.md). 词: 终端 terminal · 核验 verify · 用卡记录 use · 签到 sign-in.
"""
