"""The `imgconv` command: finds the command asked for, and turns every error into one line and an exit code."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import signal
import sys
import warnings
from typing import Any, NoReturn

import click

import imgconv
from imgconv.cli.messages import one_line
from imgconv.errors import ImgconvError, WriteError

#: Every command, in the order in which `--help` shows them; each stands in the module of its name.
COMMANDS = ("apply", "edges", "batch", "list", "show", "plan", "bench")

_INTERRUPTED = 130
_TERMINATED = 143
_BROKEN_PIPE = 141

#: What the BLAS libraries that NumPy and OpenCV come with read when they are loaded: how many threads to start.
_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

# Containers made, less those freed, before Python looks for cycles among them. Starting makes some hundred thousand that stay.
_COLLECTED_AT_ONCE = 500_000


class _Commands(click.Group):
    """A group that imports the module of a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(f"imgconv.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from imgconv.vocabulary import suggestion

            close = suggestion(args[0], COMMANDS)
            raise click.UsageError(f"no command {args[0]!r}{close}; there are {', '.join(COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(imgconv.__version__, prog_name="imgconv", message="%(prog)s %(version)s")
def cli() -> None:
    """Convolve images: exact, fast, and able to say what was done.

    \b
        imgconv apply sharpen in.png out.png
        imgconv edges in.png out.png --operator scharr
        imgconv batch sharpen photos/ sharpened/ --recursive
        imgconv list
        imgconv plan gaussian:sigma=9 big.tif
        imgconv bench --quick

    Exit codes: 0 done, 1 a fault of imgconv, 2 wrong usage, 3 an unusable kernel or catalog, 4 an unreadable input,
    5 an unwritable output, 6 a batch in which files failed.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code."""
    _own_the_terminal()
    if not sys.warnoptions:  # of what libraries have to warn of, nothing is for the user
        warnings.simplefilter("ignore")
    signal.signal(signal.SIGTERM, _terminate)
    given = sys.argv[1:] if arguments is None else arguments
    _start_fast(given)
    code = run(given)
    try:
        if sys.stdout is not None:  # it was closed before the start
            sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        _silence_stdout()
    _leave(code)


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code; errors are told in one line on stderr."""
    try:
        result = cli.main(arguments, prog_name="imgconv", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "")
        return 0
    except click.ClickException as error:
        return _fail(_usage(error), 2)
    except ImgconvError as error:
        return _fail(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        _silence_stdout()
        return _BROKEN_PIPE
    except OSError as error:  # files are looked after where they are written: what is left is stdout
        _silence_stdout()
        return _fail(f"standard output: {error.strerror or error}", WriteError.exit_code)
    except SystemExit as error:
        # click leaves by itself, with 1, when the reader of stdout has gone; a signal leaves with its own number.
        return _BROKEN_PIPE if error.code == 1 else int(error.code or 0)
    except MemoryError:
        return _fail("not enough memory for an image of this size", 1)
    except Exception as error:  # a fault of our own: still one line, and the traceback for who wants to mend it
        if os.environ.get("IMGCONV_TRACEBACK"):
            raise
        kind = type(error).__name__
        return _fail(f"internal fault: {kind}: {error}; IMGCONV_TRACEBACK=1 shows where, please report it", 1)
    return result if isinstance(result, int) else 0


def _start_fast(arguments: list[str]) -> None:
    """Leave out what costs time at the start and brings none back, before NumPy and OpenCV are loaded."""
    gc.set_threshold(_COLLECTED_AT_ONCE, 10, 10)
    # Our own threads share out the work, each calling BLAS with one; others measured by `bench` may want more.
    if arguments[:1] != ["bench"]:
        for variable in _BLAS_THREADS:
            os.environ.setdefault(variable, "1")


def _leave(code: int) -> NoReturn:
    """Leave with an exit code, and let the system free the memory: Python would take its time over each object."""
    if sys.gettrace() is None and sys.getprofile() is None:  # else somebody looks on, and has a report to write
        atexit.register(_end, code)
    sys.exit(code)


def _end(code: int) -> NoReturn:
    """End the process at once. Stdout is flushed already, or has nobody who reads it."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
    os._exit(code)


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "imgconv"
    return f"{error.format_message()} (see {path} --help)"


def _fail(message: str, code: int) -> int:
    click.echo(f"imgconv: {one_line(message)}", err=True)
    return code


def _terminate(*_: Any) -> NoReturn:
    """Leave through the clean-up of whoever is at work, so that no half-written file stays."""
    raise SystemExit(_TERMINATED)


def _silence_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _own_the_terminal() -> None:
    """Keep stderr for imgconv alone: what C libraries print to descriptor 2 (libpng does) goes nowhere."""
    try:
        own = os.dup(2)
    except OSError:  # started without a stderr
        return
    sys.stderr = open(own, "w", buffering=1, errors="backslashreplace")  # noqa: SIM115
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
