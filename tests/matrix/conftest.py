from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from imgconv.cli import main


class Result(NamedTuple):
    code: int
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line and return its exit code and stderr; stdout must stay empty."""

    def run(*arguments: object) -> Result:
        capsys.readouterr()
        code = main.run([str(a) for a in arguments])
        out, err = capsys.readouterr()
        assert out == ""
        return Result(code, err)

    return run


@pytest.fixture
def run_ok(run: Run) -> Callable[..., str]:
    """Run a command line that must succeed, and return its stderr."""

    def run_ok(*arguments: object) -> str:
        result = run(*arguments)
        assert result.code == 0, result.err
        return result.err

    return run_ok


@pytest.fixture
def run_error(run: Run, tmp_path: Path) -> Callable[..., str]:
    """Run a command line that must fail with `code`, one line on stderr and no new file; return that line."""

    def run_error(code: int, *arguments: object) -> str:
        before = sorted(tmp_path.iterdir())
        result = run(*arguments)
        assert result.code == code, result
        assert result.err.startswith("imgconv: ")
        assert result.err.count("\n") == 1
        assert "internal fault" not in result.err
        assert sorted(tmp_path.iterdir()) == before
        return result.err

    return run_error
