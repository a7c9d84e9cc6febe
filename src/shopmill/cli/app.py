"""The command `shopmill`. What its exit codes mean stands at the end of its help."""

import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.markup import escape

from shopmill.cli.airflow import airflow_setup
from shopmill.cli.diff import diff
from shopmill.cli.docs import write_docs
from shopmill.cli.erase import erase
from shopmill.cli.export import export
from shopmill.cli.gc import gc
from shopmill.cli.gx import export_gx
from shopmill.cli.init import init
from shopmill.cli.lineage import lineage
from shopmill.cli.looking import path, runs, search, show, similar, status, versions
from shopmill.cli.new import new
from shopmill.cli.output import STEERING, err, print_json, print_lines
from shopmill.cli.planning import backfill, plan
from shopmill.cli.rejects import rejects
from shopmill.cli.report import report
from shopmill.cli.running import demo, doctor, embed, run
from shopmill.cli.source import moved, reconcile
from shopmill.cli.training import training_set
from shopmill.cli.trust import rebuild, repair, unpublish, verify
from shopmill.errors import INTERRUPTED, ShopmillError, cause_in_a_line


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


EPILOG = "Exit codes: 0 done; 1 an error, said in one sentence; 2 wrong usage; 130 interrupted; 143 ended by SIGTERM."
app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes around the help take as long to draw as everything else together
    epilog=EPILOG,
    context_settings={"max_content_width": 160, "terminal_width": None if _is_terminal() else 160},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print_lines(f"shopmill {version('shopmill')}")
        raise typer.Exit


@app.callback()
def settings_of(
    context: typer.Context,
    store: Annotated[str | None, typer.Option(help="folder or s3:// address; default: SHOPMILL_STORE")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="log every step, and show tracebacks")] = False,
    version: Annotated[  # noqa: ARG001 (its callback does the work)
        bool, typer.Option("--version", help="print the version", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Turns a shop's PostgreSQL into versioned, checked, reproducible machine-learning datasets."""
    from shopmill.datasets import shop_defaults
    from shopmill.settings import load_settings

    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR,
        format="%(message)s" if err.is_terminal else "%(levelname)s: %(message)s",
        handlers=[_log_handler()],
    )
    context.obj = load_settings(**({} if store is None else {"store": store}))
    shop_defaults(context.obj)


def _log_handler() -> logging.Handler:
    if not err.is_terminal:
        return logging.StreamHandler()
    from rich.logging import RichHandler

    return RichHandler(console=err, show_path=False)


for command in (
    init,
    run,
    plan,
    backfill,
    status,
    versions,
    show,
    diff,
    path,
    runs,
    report,
    lineage,
    similar,
    search,
    doctor,
    embed,
    gc,
    export,
    training_set,
    moved,
    reconcile,
    export_gx,
    new,
    verify,
    repair,
    rebuild,
    unpublish,
    erase,
    rejects,
):
    app.command()(command)
app.command()(airflow_setup)
app.command(name="docs")(write_docs)
app.command()(demo)


def _sentence(error: Exception) -> str:
    """What is wrong, in one sentence: ours as it is, one of the system's with its file, any other with where to find more."""
    if isinstance(error, ShopmillError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be used: {error.strerror}. Choose another place, or change the rights of this one."
    failed = f"shopmill {' '.join(sys.argv[1:2])} failed: {cause_in_a_line(error)}."
    return f"{failed} Run it with --verbose for the traceback."


ENDED: Mapping[object, str] = {INTERRUPTED: "Interrupted by Ctrl-C.", 128 + signal.SIGTERM: "Ended by SIGTERM."}


@contextmanager
def _errors_said(verbose: bool, as_json: bool) -> Iterator[None]:
    """Errors as a line on stderr; where JSON is asked for, as a document too: a script reads one, whatever happens."""

    def document(sentence: str, code: object) -> None:
        if as_json and sentence:
            print_json({"error": sentence, "exit_code": code})

    try:
        yield
    except BrokenPipeError:  # who reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        document(ENDED[INTERRUPTED], INTERRUPTED)
        sys.exit(INTERRUPTED)
    except SystemExit as ended:
        document(_wrong_usage(ended) or ENDED.get(ended.code, ""), ended.code)
        raise
    except Exception as error:
        document(_sentence(error), 1)
        if verbose:
            raise
        sentence = escape(_sentence(error).translate(STEERING))
        err.print(f"[red]error[/] {sentence}", soft_wrap=True, highlight=False)
        sys.exit(1)


def _wrong_usage(ended: SystemExit) -> str:
    """What typer has found wrong and said before it ended the program; nothing where it ended for another reason."""
    message = getattr(ended.__context__, "format_message", None)
    return str(message()) if message else ""


def main() -> None:
    """The entry point: errors are one sentence and exit code 1, with -v a traceback, with --json a document as well."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # a run that is ended says so in its row
    with _errors_said("-v" in sys.argv or "--verbose" in sys.argv, "--json" in sys.argv):
        app()


if __name__ == "__main__":
    main()
