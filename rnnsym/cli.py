"""The command line: `rnnsym models | derive | verify | emit | check | check-code | audit | …`.

End of the flow beside `rnnsym.api`. Results go to stdout, messages to stderr; exit status 0 all
holds, 1 something mathematical is refuted, 2 bad input, 3 could not be decided.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from rnnsym.errors import InputError, RnnsymError

HOLDS, REFUTED, BAD_INPUT, UNDECIDED = range(4)
#: what a model may be
MODEL = (
    "NAME[:key=value,…], see `rnnsym models`; or a file .tex, .md or .txt with its forward "
    "equations, in LaTeX or a line each as h[t] = tanh(W @ h[t-1] + U @ x[t])"
)


class _Parser(argparse.ArgumentParser):
    """A parser that reports a wrong usage in one line, with exit status 2."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show δ shows a ?
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        try:
            arguments = _parser().parse_args(argv)
            return int(arguments.run(arguments))
        finally:
            sys.stdout.flush()  # a reader that went away is noticed here, not at the exit
    except RnnsymError as error:
        print(f"rnnsym: {_one_line(str(error))}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # the reader of stdout went away, as `head` does
        _forget_output()
        return HOLDS
    except OSError as error:  # a disk that is full, say
        print(f"rnnsym: cannot write the result: {error.strerror}", file=sys.stderr)
        _forget_output()
        return BAD_INPUT
    except MemoryError:
        print("rnnsym: not enough memory: choose smaller sizes or fewer steps", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("rnnsym: interrupted", file=sys.stderr)
        return 130


def _forget_output() -> None:
    """What stdout still holds cannot be written: let the exit not try it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) < 600 else text[:600] + " …"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="rnnsym",
        description="Derive, verify and generate the mathematics of recurrent neural networks.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Any, help: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(run=run)
        return sub

    sub = command("models", _models, "list the built-in models and their options")
    sub.add_argument("--json", action="store_true", help="print JSON")

    sub = command("derive", _derive, "derive gradients, each step checked")
    _model_argument(sub)
    sub.add_argument("--wrt", metavar="NAME,…", help="parameters, initial states or inputs")
    sub.add_argument("--steps", metavar="T", help="a concrete T, written out; T_x=3,T_y=2 "
                     "where there are several")  # fmt: skip
    sub.add_argument("--text", action="store_true", help="Unicode text instead of LaTeX")
    _row_end_argument(sub)
    sub.add_argument("-o", "--output", metavar="FILE",
                     help="write FILE: .tex, .md, .html, .ipynb or .pdf")  # fmt: skip

    sub = command("verify", _verify, "compare every gradient with every kind of evidence")
    _model_argument(sub)
    sub.add_argument("--steps", metavar="T", help="5, or T_x=5,T_y=4 where there are several")
    sub.add_argument("--sizes", default="", metavar="n_x=3,…", help="sizes; others are chosen")
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--against", metavar="KIND,…", help="bptt, finite_difference, complex_step, "
                     "exact, torch, jax, latex2sympy2 (by name only)")  # fmt: skip
    sub.add_argument("--json", action="store_true", help="print one JSON object")

    sub = command("emit", _emit, "write the gradient as source code")
    _model_argument(sub)
    sub.add_argument("--backend", default="numpy")
    sub.add_argument("-o", "--output", metavar="FILE")

    sub = command("check", _check, "judge a formula: true, false or unknown, and why")
    sub.add_argument("claim", metavar="CLAIM", help="a formula in LaTeX; - reads stdin")
    sub.add_argument("--model", required=True, metavar="MODEL", help=f"what it is about: {MODEL}")
    sub.add_argument("--einstein", action="store_true",
                     help="an index that stands twice in a product is summed over")  # fmt: skip
    sub.add_argument("--json", action="store_true", help="print one JSON object")

    sub = command("check-code", _check_code, "judge somebody's gradient function")
    sub.add_argument("code", metavar="FILE.py:FUNCTION",
                     help="called as f(params, x, y, initial), or as the variable ADAPTER of the "
                     "file says, a dict of the words of rnnsym.Adapter; a class, or a pair "
                     "FILE.py:forward,backward, with the calls in it")  # fmt: skip
    sub.add_argument("--model", required=True, metavar="MODEL",
                     help=f"of which it is the gradient: {MODEL}")  # fmt: skip
    sub.add_argument("--steps", metavar="T,…", help="lengths, for code that works at these only")
    sub.add_argument("--sizes", default="", metavar="n_x=3,…", help="sizes; others are chosen")
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--json", action="store_true", help="print one JSON object")

    sub = command("audit", _audit, "judge every formula of a document")
    sub.add_argument("document", metavar="DOCUMENT", help=".md, .tex or .ipynb")
    sub.add_argument("--model", metavar="MODEL", help=f"{MODEL}; its own equations if left out")
    sub.add_argument("-o", "--output", metavar="REPORT.html", help="write a report")
    sub.add_argument("--json", action="store_true", help="print one JSON object")

    sub = command("flow", _flow, "how gradients vanish or explode, step by step")
    sub.add_argument("model", nargs="+", metavar="MODEL", help="as above; several side by side")
    sub.add_argument("--wrt", metavar="NAME,…", help="a parameter for all models, or one each")
    sub.add_argument("--steps", metavar="T", help="30, or T_x=30,T_y=20 where there are several")
    sub.add_argument("--sizes", default="", metavar="n_a=16,…", help="sizes; others are chosen")
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--radius", type=float, help="spectral radius of the recurrent weights")
    sub.add_argument("--sigma", type=float, help="their largest singular value, instead")
    sub.add_argument("--json", action="store_true", help="print one JSON object")
    sub.add_argument("-o", "--output", metavar="FIGURE",
                     help="write FIGURE: .svg, .png, or a document such as .html")  # fmt: skip

    sub = command("build", _build, "build the documents of a folder")
    sub.add_argument("folder", nargs="?", default="derivations", metavar="DIR")
    sub.add_argument("-o", "--output", default="build/docs", metavar="OUT")
    _row_end_argument(sub)
    return parser


def _model_argument(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("model", metavar="MODEL", help=MODEL)


def _row_end_argument(sub: argparse.ArgumentParser) -> None:
    ends = ["\\" * 2, "\\" * 3]
    sub.add_argument("--row-end", default=ends[0], choices=ends, metavar="END",
                     help="end of rows in .md: two backslashes, or three for Hugo")  # fmt: skip


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{text!r} is no whole number") from None


def _model(spec: str) -> Any:
    from rnnsym.api import model
    from rnnsym.model_files import ENDINGS, read_model

    return read_model(Path(spec)) if Path(spec).suffix in ENDINGS else model(spec)


def _models(arguments: argparse.Namespace) -> int:
    from rnnsym.models import MODELS, options_of

    table: list[dict[str, Any]] = []
    for name, cell in MODELS.items():
        net = _model(name)
        table.append(
            {
                "name": name,
                "title": cell.title,
                "source": cell.source,
                "equations": [e.text for e in net.source],
                "options": {k: list(v) for k, v in options_of(cell).items()},
                "sizes": list(net.sizes),
                "initial": {n: [str(v.rows)] for n, v in net.initial_states.items()},
                "parameters": {
                    n: [str(s) for s in (w.shape if w.cols != 1 else w.shape[:1])]
                    for n, w in net.parameters.items()
                },
            }
        )
    if arguments.json:
        print(json.dumps({"models": table}, indent=2, ensure_ascii=False))
        return HOLDS
    for row in table:
        print(f"{row['name']}: {row['title']} ({row['source']})")
        for equation in row["equations"]:
            print(f"    {equation}")
        shapes = (f"{n} ({', '.join(s)})" for n, s in row["parameters"].items())
        print(f"  parameters  {', '.join(shapes)}")
        states = ", ".join(f"{n} ({s[0]})" for n, s in row["initial"].items())
        print(f"  initial     {states or '–'}")
        print("  options     default first")
        for key, values in row["options"].items():
            print(f"    {key}={'|'.join(values)}")
        print()
    return HOLDS


def _derive(arguments: argparse.Namespace) -> int:
    from rnnsym.api import derivations_document
    from rnnsym.documents import files, terminal, tex

    if arguments.output is not None:
        files.check_path(arguments.output)
        if arguments.text:
            raise InputError("--text is for the terminal: leave it out, or -o FILE")
    net = _model(arguments.model)
    names = _names(arguments.wrt) or list(net.parameters)
    found = [net.derive(name) for name in names]
    if arguments.steps is not None:
        steps = _steps(arguments.steps)
        found = [d.at(steps) for d in found]
    document, ok = derivations_document(found)
    if arguments.output is not None:
        print(files.save(document, arguments.output, arguments.row_end))
    elif arguments.text:
        print(terminal.terminal(document), end="")
    else:
        print(tex.fragment(document), end="")
    if not ok:
        print("rnnsym: a step was refuted, see above", file=sys.stderr)
    return HOLDS if ok else REFUTED


def _names(text: str | None) -> list[str]:
    if text is None:
        return []
    names = list(dict.fromkeys(part.strip() for part in text.split(",")))
    if not all(names):
        raise InputError(f"{text!r}: names separated by commas were expected")
    return names


def _verify(arguments: argparse.Namespace) -> int:
    from rnnsym.api import verify

    net = _model(arguments.model)
    # lengths that differ hide no mistake of one for the other
    lengths = {name: 5 - i % 2 for i, name in enumerate(net.lengths)}
    report = verify(
        net,
        steps=(lengths if len(lengths) > 1 else 5)
        if arguments.steps is None
        else _steps(arguments.steps),
        sizes=_sizes(arguments.sizes),
        seed=arguments.seed,
        against=_names(arguments.against) or None,
    )
    if arguments.json:
        print(json.dumps({**report.as_json(), "model": arguments.model}, indent=2))
    else:
        print(report.text())
    return HOLDS if report.ok else REFUTED


def _steps(text: str) -> int | dict[str, int]:
    """The length of every sequence, or each by its name."""
    return _sizes(text, "--steps", "T_x=3,T_y=2") if "=" in text else _integer(text)


def _sizes(text: str, option: str = "--sizes", usage: str = "n_x=3,n_a=4") -> dict[str, int]:
    sizes: dict[str, int] = {}
    for item in filter(None, text.split(",")):
        name, equals, value = (s.strip() for s in item.partition("="))
        if not equals:
            raise InputError(f"{option} {item!r}: write {usage}")
        if name in sizes:
            raise InputError(f"{option} gives {name} twice")
        sizes[name] = _integer(value)
    return sizes


def _emit(arguments: argparse.Namespace) -> int:
    from rnnsym.documents import files

    source = _model(arguments.model).code(arguments.backend)
    if arguments.output is not None:
        print(files.write(arguments.output, source))
    else:
        print(source, end="")
    return HOLDS


def _check(arguments: argparse.Namespace) -> int:
    from rnnsym.claims.check import check
    from rnnsym.claims.guard import guarded

    # of more than can be read, no more is taken than says so
    claim = sys.stdin.read(1 << 20) if arguments.claim == "-" else arguments.claim
    net = _model(arguments.model)
    with guarded(lambda text: check(text, net, einstein=arguments.einstein)) as judge:
        verdict = judge(claim)
    if arguments.json:
        print(json.dumps(verdict.as_json(), indent=2, ensure_ascii=False))
    elif verdict.status == BAD_INPUT:
        print(f"rnnsym: the formula cannot be read: {_one_line(verdict.message)}", file=sys.stderr)
    else:
        print(verdict.text())
    return verdict.status


def _check_code(arguments: argparse.Namespace) -> int:
    from rnnsym.codecheck import command

    net = _model(arguments.model)
    net.name = arguments.model
    return command.run(
        arguments.code,
        net,
        arguments.json,
        seed=arguments.seed,
        steps=[_integer(n) for n in arguments.steps.split(",")] if arguments.steps else None,
        sizes=_sizes(arguments.sizes),
    )


def _audit(arguments: argparse.Namespace) -> int:
    from rnnsym.audit.audit import audit
    from rnnsym.documents import files

    if arguments.output is not None and Path(arguments.output).suffix != ".html":
        raise InputError(f"{arguments.output}: a report is an .html file")
    net = None if arguments.model is None else _model(arguments.model)
    found = audit(Path(arguments.document), net, progress=_progress(), guard=True)
    if arguments.output is not None:
        files.write(arguments.output, found.html())
        print(f"rnnsym: wrote {arguments.output}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        print(found.text())
    if found.needs_model:
        print("rnnsym: no forward equations were found: say --model", file=sys.stderr)
    return found.status


def _progress() -> Any:
    """A bar on stderr, where somebody is looking."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        width = 30 * done // max(1, total)
        end = "\n" if done == total else ""
        bar = "█" * width + "·" * (30 - width)
        print(f"\rrnnsym: {bar} {done} of {total} formulas", end=end, file=sys.stderr, flush=True)

    return show


def _flow(arguments: argparse.Namespace) -> int:
    from rnnsym.flow import report

    if arguments.output is not None:
        report.check_path(arguments.output)
    pairs = report.pairs([_model(m) for m in arguments.model], _names(arguments.wrt))
    flows = [
        net.flow(
            wrt, _steps(arguments.steps) if arguments.steps else None,
            sizes=_sizes(arguments.sizes), seed=arguments.seed,
            radius=arguments.radius, sigma=arguments.sigma,
        )
        for net, wrt in pairs
    ]  # fmt: skip
    ok = all(flow.ok for flow in flows)
    if arguments.output is not None:
        print(f"rnnsym: wrote {report.save(flows, arguments.output)}", file=sys.stderr)
    if arguments.json:
        table = [report.as_json(flow) for flow in flows]
        print(json.dumps({"models": table, "figure": arguments.output, "ok": ok}, indent=2))
    else:
        print("\n\n".join(flow.text() for flow in flows))
    return HOLDS if ok else REFUTED


def _build(arguments: argparse.Namespace) -> int:
    from rnnsym.documents.literate import build

    def tell(line: str) -> None:
        print(f"rnnsym: {line}", file=sys.stderr, flush=True)

    ok, written = build(arguments.folder, arguments.output, arguments.row_end, tell)
    for path in written:
        print(path)
    return HOLDS if ok else REFUTED


if __name__ == "__main__":
    sys.exit(main())
