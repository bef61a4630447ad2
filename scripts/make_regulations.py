"""Write docs/regulations.md: article → code → test, from the `clause` marks on tests.

`--check` writes nothing and fails when the file is not current or a mark is unknown.
"""

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "regulations.md"
HEAD = """# 条文、代码与测试

由 `python scripts/make_regulations.py` 根据测试上的 `@pytest.mark.clause(...)` 标记生成，请勿手工修改。
每一行：条文或能力、实现它的房间、证明它的测试。
"""


@dataclass
class Proof:
    rooms: set[str] = field(default_factory=set)
    tests: set[str] = field(default_factory=set)


def marks(node: ast.AST) -> Iterator[str]:
    """The arguments of every `clause(...)` call in a decorator or a `pytestmark`."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "clause":
            yield from (str(a.value) for a in call.args if isinstance(a, ast.Constant))


def rooms_of(tree: ast.Module) -> set[str]:
    """The rooms a test file imports, tests' own helpers left out."""
    names = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module]
    return {room(name) for name in names if name.startswith("yikatong.")} - {"core"}


def room(module: str) -> str:
    parts = module.split(".")[1:]
    depth = 2 if parts[0] in {"registry", "using", "insight", "portals"} else 1
    return "/".join(parts[:depth])


def read(path: Path, proofs: dict[str, Proof]) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    whole = [mark for node in tree.body if isinstance(node, ast.Assign) for mark in marks(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            own = {mark for decorator in node.decorator_list for mark in marks(decorator)}
            for mark in {*whole, *own}:
                proofs[mark].rooms |= rooms_of(tree)
                proofs[mark].tests.add(f"{path.relative_to(ROOT)}::{node.name}")


def collect() -> dict[str, Proof]:
    proofs: dict[str, Proof] = defaultdict(Proof)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        read(path, proofs)
    return proofs


def order(mark: str) -> tuple[str, int, str]:
    digits = "".join(c for c in mark if c.isdigit())
    return mark.removeprefix("cap:")[0], int(digits or 0), mark


def render(proofs: dict[str, Proof], known: dict[str, dict[str, str]]) -> str:
    lines = [HEAD]
    for title, group in (("条文", known["articles"]), ("能力", known["capabilities"])):
        lines += [f"## {title}", "", "| 标记 | 内容 | 房间 | 测试 |", "|---|---|---|---|"]
        for mark in sorted(set(group) & set(proofs), key=order):
            proof = proofs[mark]
            tests = "<br>".join(sorted(proof.tests)[:12])
            more = f"<br>… 共 {len(proof.tests)} 项" if len(proof.tests) > 12 else ""
            lines.append(f"| {mark} | {group[mark]} | {', '.join(sorted(proof.rooms))} | {tests}{more} |")
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    known = tomllib.loads((ROOT / "docs" / "articles.toml").read_text(encoding="utf-8"))
    proofs = collect()
    if unknown := sorted(set(proofs) - {*known["articles"], *known["capabilities"]}):
        print("marks not in docs/articles.toml:", *unknown)
        return 1
    text = render(proofs, known)
    if "--check" in sys.argv:
        current = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        print(
            "docs/regulations.md is current"
            if current
            else "docs/regulations.md is stale: run make regulations"
        )
        return 0 if current else 1
    TARGET.write_text(text, encoding="utf-8")
    print(f"docs/regulations.md: {len(proofs)} marks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
