"""The terminal 用卡终端: software of a device at a gate, on a bus, at a counter. Knows the pass, not Django.

It asks the gate when it can, decides alone when it cannot, and hands in later what it let pass
(docs/spec/pass-v1.md §6, docs/spec/gate-v1.md). 词: 开通 enrol · 签到 sign-in · 核验 verify · 上传 upload · 名单 list.
"""
