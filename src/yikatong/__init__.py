"""Yikatong 一卡通: one social-security card for every public service of a province."""
