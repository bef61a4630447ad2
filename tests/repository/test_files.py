"""Rules for all files of the repository that no linter knows."""

import ast
import json
import re
import subprocess
import sys

import pytest

from scripts import make_reasons
from tests.repository.tree import ROOT, SRC, texts

WRITES = {
    "save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create",
    "asave", "acreate", "aupdate", "adelete", "raw",
}  # fmt: skip
#: Rooms under portals that keep a table of their own write it here and nowhere else.
WRITERS = {"portals/staff/actions.py", "portals/staff/guard.py", "portals/staff/managing.py"}
#: `.save(…)` of things that are no rows.
HARMLESS = {("portals/shared/qr.py", "code.save")}


def test_portals_write_nothing_themselves() -> None:
    """They parse, call one act or query, and render."""
    found = []
    for path in sorted((SRC / "portals").rglob("*.py")):
        name = str(path.relative_to(SRC))
        if name in WRITERS or "/migrations/" in name:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in WRITES
            ):
                call = ast.unparse(node.func)
                if (name, call) not in HARMLESS and not _is_about_a_dict(node):
                    found.append(f"{name}:{node.lineno} {call}(…)")
    assert found == []


def _is_about_a_dict(node: ast.Call) -> bool:
    """`context.update(form=…)`: a dict's own method, on a name that says so."""
    assert isinstance(node.func, ast.Attribute)
    target = node.func.value
    return node.func.attr == "update" and isinstance(target, ast.Name) and target.id in {"context", "found"}


_HOSTS = re.compile(
    r"registry\.npmjs\.org|registry\.yarnpkg|npmmirror|pypi\.org|pythonhosted|pypi\.tuna|aliyun\.com/(?:pypi|npm)"
    r"|repo\.huaweicloud|mirrors\.(?:tencent|ustc|cloud)|proxy\.golang\.org|--(?:extra-)?index-url|--find-links",
)


def test_no_package_host_is_named() -> None:
    found = [
        f"{name}: {hit[0]}"
        for name, text in texts().items()
        if name != _THIS and (hit := _HOSTS.search(text)) is not None
    ]
    assert found == []


_THIS = "tests/repository/test_files.py"
_ABSOLUTE = re.compile(r"""(?<![\w.$}/~>*-])/(?:home|root|work|opt|Users|mnt|srv|tmp)/[\w.-]""")


def test_no_path_of_one_machine() -> None:
    found = [
        f"{name}:{number} {line.strip()[:100]}"
        for name, text in texts().items()
        if name != _THIS
        for number, line in enumerate(text.splitlines(), 1)
        if _ABSOLUTE.search(line)
    ]
    assert found == []


_SECRETS = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bsk-[A-Za-z0-9]{20,}"
    r"|\bxox[abpr]-[0-9A-Za-z-]{10,}|(?i:(?:password|passwd|secret|token)\s*[:=]\s*[\"'][A-Za-z0-9+/=_-]{24,}[\"'])"
    r"|postgres(?:ql)?://\w+:[^@\s{<*]+@",
)
#: Published keys of test vectors, and the test that addresses are shown without their passwords.
_NO_SECRETS = ("docs/spec/vectors/", "tests/core/test_env.py", _THIS)


def test_no_secret_is_kept() -> None:
    found = [
        f"{name}:{number} {hit[0][:60]}"
        for name, text in texts().items()
        if not name.startswith(_NO_SECRETS)
        for number, line in enumerate(text.splitlines(), 1)
        if (hit := _SECRETS.search(line)) is not None
    ]
    assert found == []


def test_every_file_is_clean_text() -> None:
    for name, text in texts().items():
        assert "\r\n" not in text or name.startswith("tests/"), f"{name}: Windows line ends"
        assert not re.search(r"^(<{7}|>{7}) ", text, re.MULTILINE), f"{name}: left over from a merge"


def test_the_table_of_articles_is_current() -> None:
    command = [sys.executable, "scripts/make_regulations.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "docs/regulations.md is current\n")


def test_the_list_of_reasons_is_current() -> None:
    assert make_reasons.TARGET.read_text(encoding="utf-8") == make_reasons.reasons_json()
    assert len(json.loads(make_reasons.reasons_json())) >= 20


@pytest.mark.parametrize("lock", ["requirements.lock", "package-lock.json"])
def test_every_dependency_is_pinned_with_its_hash(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    if lock == "requirements.lock":
        pins = re.findall(
            r"^[a-zA-Z0-9][\w.-]*(?:\[[\w,-]+\])?==[^\s;\\]+.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL
        )
        assert len(pins) > 60
        assert [pin.split("==")[0] for pin in pins if "--hash=sha256:" not in pin] == []
    else:
        packages = {name: one for name, one in json.loads(text)["packages"].items() if name}
        assert packages
        assert [
            name for name, one in packages.items() if not one.get("integrity", "").startswith("sha512-")
        ] == []
