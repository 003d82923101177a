#!/usr/bin/env python3
"""The norms' training forward and backward in turns with PyTorch's, in one sitting: ours / theirs.

    python3 norms_reference.py PROGRAM [--threads N] [--turns N] [--repeat N] [--rows N] [--features N]

PROGRAM is our program, build/normlab. In each turn `PROGRAM bench norms --json` runs first, then PyTorch twice, each in
a process of its own: as it comes, and with its memory handled as ours is, kept when freed and in large pages. As it
comes, each matrix is asked of the system anew and given back, which costs PyTorch more than its kernels do. Run it on a
machine that does nothing else: PyTorch suffers more from company than we do.

A time is the median within a turn and then over turns; a ratio is taken within each turn, and its median over turns is
printed with the smallest and the largest. Below 1 ours is faster. Both sides write dx and the gradients of weight and
bias; in neither is dx added to anything. Needs torch; the memory settings are those of glibc and PyTorch on Linux.
"""
import argparse
import json
import os
import subprocess
import sys
import time
from datetime import date
from statistics import median

DIRECTIONS = ("forward", "backward")
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "THP_MEM_ALLOC_ENABLE": "1"}


def measure_torch(arguments):
    """Milliseconds of PyTorch's norms, {norm: {direction: ms}}, and its version, as JSON."""
    import torch

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    features = arguments.features
    norms = {
        "layer": torch.nn.LayerNorm(features),
        "rms": torch.nn.RMSNorm(features, eps=1e-5),
        "batch": torch.nn.BatchNorm1d(features),
    }
    x, dy = torch.randn(2, arguments.rows, features)
    x.requires_grad_()
    seconds = {norm: {direction: [] for direction in DIRECTIONS} for norm in norms}
    for _ in range(arguments.repeat):
        for name, norm in norms.items():
            start = time.perf_counter()
            y = norm(x)
            middle = time.perf_counter()
            gradients = torch.autograd.grad(y, [x, *norm.parameters()], dy)
            end = time.perf_counter()
            seconds[name]["forward"].append(middle - start)
            seconds[name]["backward"].append(end - middle)
            del y, gradients
    # The first time is not counted.
    times = {norm: {d: 1e3 * median(values[1:]) for d, values in of.items()} for norm, of in seconds.items()}
    print(json.dumps({"version": torch.__version__, "milliseconds": times}))


def run(command, environment=None):
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"norms_reference: exit status {done.returncode} of {' '.join(command)}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def options(arguments):
    names = ("threads", "repeat", "rows", "features")
    return [word for name in names for word in (f"--{name}", str(getattr(arguments, name)))]


def compare(arguments):
    turns = []
    for turn in range(arguments.turns):
        ours = run([arguments.program, "bench", "norms", "--json", *options(arguments)])
        theirs = [sys.executable, __file__, "torch", *options(arguments)]
        (as_it_comes,), (kept,) = run(theirs), run(theirs, KEEP_MEMORY)
        milliseconds = {line["norm"]: {d: line[d]["milliseconds"] for d in DIRECTIONS}
                        for line in ours if line["pre_scale"] == "none"}
        turns.append((milliseconds, as_it_comes["milliseconds"], kept["milliseconds"]))
        print(f"turn {turn + 1} of {arguments.turns}", file=sys.stderr)

    of = ours[0]
    print(f"{date.today()}, {of['processor']}, {of['threads']} threads, f32 [{arguments.rows}, {arguments.features}], "
          f"{arguments.turns} turns")
    print(f"ours: normlab {of['version']}, {of['compiler']}, {of['build']} {of['vector_unit']}")
    print(f"theirs: PyTorch {as_it_comes['version']}")
    print("milliseconds; in brackets the smallest and the largest ratio of a turn\n")
    print(f"{'':15}{'ours':>8}{'PyTorch':>10}{'ours / theirs':>21}{'memory kept':>14}{'ours / theirs':>21}")
    for norm in as_it_comes["milliseconds"]:
        if norm not in turns[0][0]:
            print(f"{norm:6} is not among our norms")
            continue
        for direction in DIRECTIONS:
            times = [[side[norm][direction] for side in turn] for turn in turns]
            row = f"{norm:6}{direction:9}{median(t[0] for t in times):8.2f}"
            for side, width in ((1, 10), (2, 14)):
                ratios = [t[0] / t[side] for t in times]
                bracket = f"({min(ratios):.2f}, {max(ratios):.2f})"
                row += f"{median(t[side] for t in times):{width}.2f}{median(ratios):7.2f}{bracket:>14}"
            print(row)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="path of our program; `torch` for PyTorch's part of a turn alone")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=11, help="how many times in a turn, the first not counted")
    parser.add_argument("--rows", type=int, default=32768)
    parser.add_argument("--features", type=int, default=512)
    arguments = parser.parse_args()
    (measure_torch if arguments.program == "torch" else compare)(arguments)


if __name__ == "__main__":
    main()
