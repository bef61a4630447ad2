"""Homes for real processes: short enough for a socket, and open to the account the server runs as."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from yikatong.runtime.postgres import Cluster


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home. pytest's own tmp_path is closed to other accounts when the tests run as root."""
    directory = Path(tempfile.mkdtemp(prefix="ykt-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def initialised() -> Iterator[Path]:
    """A home whose cluster was made once, to be copied."""
    directory = Path(tempfile.mkdtemp(prefix="ykt-"))
    directory.chmod(0o755)
    cluster = Cluster(directory)
    cluster.start()
    cluster.stop()
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def cluster(home: Path, initialised: Path) -> Iterator[Cluster]:
    """A stopped cluster with an empty database."""
    subprocess.run(["cp", "-a", f"{initialised}/pg", home], check=True)
    cluster = Cluster(home)
    yield cluster
    cluster.stop()
