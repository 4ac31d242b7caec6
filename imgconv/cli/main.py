"""The `imgconv` program: runs a command, and reports every error in one line and an exit code."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import os
import signal
import sys
import warnings
from typing import Any, NoReturn

import click

import imgconv
from imgconv.cli.messages import StandardOutput, on_terminal, one_line, with_flags
from imgconv.errors import ImgconvError
from imgconv.opencv import configure_for_command_line

#: Every command, in the order of `--help`; each stands in the module of its name.
COMMANDS = ("apply", "edges", "batch", "list", "show", "plan", "bench", "help", "completion")

_INTERRUPTED = 130
_TERMINATED = 143
_BROKEN_PIPE = 141

#: How many threads the BLAS libraries of NumPy and OpenCV start when they are loaded.
_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class _Commands(click.Group):
    """A group that imports the module of a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _command(cmd_name) if cmd_name in COMMANDS else super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from imgconv.cli.words import names_filter
            from imgconv.vocabulary import suggestion

            if len(args) > 1 and names_filter(args[0]):
                raise click.UsageError(f"no command {args[0]!r}, which is a filter: imgconv apply {' '.join(args)}", ctx)
            close = suggestion(args[0], COMMANDS)
            raise click.UsageError(f"no command {args[0]!r}{close}; the commands are {', '.join(COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            if on_terminal(sys.stderr):
                click.echo(err=True)  # below the ^C of the terminal
            raise click.Abort from None  # click would print the empty line into a file, too


def _command(name: str) -> click.Command:
    command: click.Command = importlib.import_module(f"imgconv.cli.{name}").command
    return command


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True}
)
@click.version_option(imgconv.__version__, "-V", "--version", prog_name="imgconv", message="%(prog)s %(version)s")
def cli() -> None:
    """Filter images by 2-D convolution.

    \b
        imgconv apply sharpen in.png out.png
        imgconv edges in.png out.png --operator scharr
        imgconv batch sharpen photos/ sharpened/ --recursive
        imgconv list blur
        imgconv plan gaussian:sigma=9 big.tif

    Options of a command: imgconv COMMAND --help. Manual: imgconv help.

    Exit codes: 0 done, 1 internal fault, 2 wrong usage, 3 unusable kernel or catalog, 4 unreadable input, 5 unwritable
    output, 6 batch with failed files.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    _set_up_process(given)
    code = run(given)
    try:
        if sys.stdout is not None:  # it was closed before the start
            sys.stdout.flush()
    except (OSError, ValueError):
        _silence_stdout()
    _leave(code)


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code; errors are printed on stderr, one line each."""
    if "_IMGCONV_COMPLETE" in os.environ:  # a shell requests words
        importlib.import_module("imgconv.cli.completion")
    try:
        result = cli.main(arguments, prog_name="imgconv", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "")
        return 0
    except click.ClickException as error:
        return _fail(_usage(error), 2)
    except ImgconvError as error:
        command = _command(arguments[0]) if arguments and arguments[0] in COMMANDS else None
        return _fail(with_flags(str(error), command), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        _silence_stdout()
        return _BROKEN_PIPE
    except SystemExit as error:
        # click leaves by itself, with 1, when the reader of stdout has gone; a signal leaves with its own number.
        return _BROKEN_PIPE if error.code == 1 else int(error.code or 0)
    except MemoryError:
        return _fail("not enough memory for an image of this size", 1)
    except Exception as error:  # an internal fault: one line too, with the traceback on demand
        if os.environ.get("IMGCONV_TRACEBACK"):
            raise
        kind = type(error).__name__
        return _fail(f"internal fault: {kind}: {error}; IMGCONV_TRACEBACK=1 shows where, please report it", 1)
    return result if isinstance(result, int) else 0


def _set_up_process(arguments: list[str]) -> None:
    """Set the state of the process: streams, signals, warnings, environment, garbage collector.

    Only this function and the start of a worker process change it.
    """
    with contextlib.suppress(OSError):  # started without a stderr
        own = os.dup(2)
        sys.stderr = open(own, "w", buffering=1, errors="backslashreplace")  # noqa: SIM115
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)  # what C libraries print there, as libpng does
        os.close(nowhere)
    if sys.stdout is not None:
        raw = io.BufferedWriter(StandardOutput(sys.stdout.fileno(), "wb", closefd=False))
        sys.stdout = io.TextIOWrapper(raw, sys.stdout.encoding, sys.stdout.errors, line_buffering=sys.stdout.isatty())
    if not sys.warnoptions:  # warnings of libraries are not actionable for users
        warnings.simplefilter("ignore")
    signal.signal(signal.SIGTERM, _terminate)
    configure_for_command_line()
    # Starting makes some hundred thousand containers that stay: `apply sharpen` takes 4 % less CPU time on a small picture, and
    # 3 to 7 % less time on one of 12 megapixels (medians of 21 and 31 alternating runs, two processors, November 2026).
    gc.set_threshold(500_000, 10, 10)
    # Threads of imgconv share the work, each calling BLAS with one, so that BLAS need not start its own: 7 % less CPU time on a
    # small picture, 10 to 15 % less time on 12 megapixels (as above). Other programs that `bench` measures may use more.
    if arguments[:1] != ["bench"]:
        for variable in _BLAS_THREADS:
            os.environ.setdefault(variable, "1")


def _leave(code: int) -> NoReturn:
    """Leave with an exit code, without freeing every object first: the system frees the memory faster.

    That takes 15 to 20 % off `apply sharpen`, on small pictures and on 12 megapixels (measured as in `_set_up_process`).
    """
    if sys.gettrace() is None and sys.getprofile() is None:  # a profiler writes its report at the end
        atexit.register(_end, code)
    sys.exit(code)


def _end(code: int) -> NoReturn:
    """End the process at once; stdout is flushed already."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
    os._exit(code)


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "imgconv"
    return f"{error.format_message()} (see {path} --help)"


def _fail(message: str, code: int) -> int:
    with contextlib.suppress(OSError):  # the reader of stderr has ended
        click.echo(f"imgconv: {one_line(message)}", err=True)
    return code


def _terminate(*_: Any) -> NoReturn:
    """Leave as an exception, so that temporary files are removed on the way."""
    raise SystemExit(_TERMINATED)


def _silence_stdout() -> None:
    """Point stdout at nothing, so that the last flush of the interpreter does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
