"""The command `python -m bench [PART ...] [--out FILE.json]`: run parts, print their tables, keep them."""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from bench import accuracy, bound, coverage, eigen, geometry, growth, parts, products, record, rivals, slices, weighting
from bench.options import FASHION_MNIST, Options
from bench.page import drawn
from bench.tables import Table, show

#: Parts by name, the quick ones first.
PARTS: dict[str, Callable[[Options], Iterator[Table]]] = {
    "weighting": weighting.tables,
    "eigen": eigen.tables,
    "bound": bound.tables,
    "geometry": geometry.tables,
    "slices": slices.tables,
    "products": products.tables,
    "growth": growth.tables,
    "parts": parts.tables,
    "rivals": rivals.tables,
    "coverage": coverage.tables,
    "accuracy": accuracy.tables,
}
#: Where results go that are not meant to be kept; ignored by git.
LATEST = Path(__file__).parent / "results" / "latest.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts named on the command line; returns how many cases failed, at most 1."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - PARTS.keys():
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if given.page is not None:
        given.page.write_text(drawn(given.page.read_text(encoding="utf-8"), given.out), encoding="utf-8")
        return 0
    if given.threads is not None:
        torch.set_num_threads(given.threads)
    options = Options(given.quick, given.processes, given.fashion_mnist, given.peers)
    failed = 0
    for name in given.parts or PARTS:
        print(f"{name} ...", flush=True)
        started, tables = time.perf_counter(), []
        for table in PARTS[name](options):
            tables.append(table)
            show(table)
        record.keep(given.out, name, options, tables, time.perf_counter() - started)
        failed += sum(len(table.failures) for table in tables)
    print(f"written to {given.out}" + (f"; {failed} cases failed" if failed else ""))
    return min(failed, 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks of egregium.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all if none")
    parser.add_argument(
        "--out", type=Path, default=LATEST, help="JSON document, to which parts are added (%(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="few seeds and rounds: to see that everything runs")
    parser.add_argument("--processes", type=int, default=2, help="for coverage and accuracy (%(default)s)")
    parser.add_argument("--threads", type=int, help="torch's threads for products (torch's own choice)")
    parser.add_argument(
        "--fashion-mnist", type=Path, default=FASHION_MNIST, help="folder of the idx files (%(default)s)"
    )
    parser.add_argument("--peers", type=Path, help="a Python that has curvlinops and hessian-eigenthings, to compare")
    parser.add_argument("--page", type=Path, help="instead of running: redraw this page's tables from --out")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
