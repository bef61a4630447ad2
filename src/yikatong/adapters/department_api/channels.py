"""Which department is reached where, and under which key."""

from pathlib import Path

from yikatong.adapters import signed_channels
from yikatong.adapters.signed_channels import KEY_SIZE
from yikatong.adapters.signed_http import ANSWER_S, Wire
from yikatong.core import env
from yikatong.registry.joint.connector import DepartmentAway, DepartmentSilent


def wire_to(department: str) -> Wire | None:
    """The line to this department; None when none is set up."""
    settings = env.load()
    if settings.departments_file != Path():
        known = signed_channels.read(settings.departments_file, "departments", "DEPARTMENTS_FILE")
        channel = known.get(department)
        return wire(channel.url, channel.key, answer_s=channel.answer_s) if channel else None
    return sandbox(settings) if settings.demo else None


def sandbox(settings: env.Settings) -> Wire:
    """The line to the departments of a demonstration."""
    key = env.secret_file(settings.sandbox_key_path("department"), KEY_SIZE)
    return wire(settings.bank_sandbox_url, key)


def wire(url: str, key: bytes, *, answer_s: float = ANSWER_S) -> Wire:
    return Wire(url, key, whom="部门", away=DepartmentAway, silent=DepartmentSilent, answer_s=answer_s)
