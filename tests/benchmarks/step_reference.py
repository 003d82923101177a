#!/usr/bin/env python3
"""Whole training steps in turns with PyTorch's, in one sitting: ours / theirs, in time and in memory.

    python3 step_reference.py PROGRAM [--threads N] [--turns N] [--steps N] [--workloads lm nmt nmt-ragged] [--keep-memory]
                              [--hold-gradients] [--recompute attention feed_forward]

PROGRAM is our program, build/normlab. In each turn and for each workload `PROGRAM bench step WORKLOAD --json` runs, then
PyTorch eager and under torch.compile, each in a process of its own. Run it on a machine that does nothing else.

The work is the same on both sides: layers, widths, tied output, dropout of 0.1 at the same places (embeddings, attention
probabilities, every residual branch), label smoothing, clipping of the gradient's norm, Adam, f32, and the number and
lengths of the sequences. PyTorch is given what makes it fast: query, key and value as one product,
scaled_dot_product_attention, the fused Adam. Where lengths differ (nmt-ragged) it pads, in two ways: each batch as it
comes, or all pairs first sorted by length and cut into batches of similar ones. Ours packs each batch as it comes.

A time is a step's: the median over rounds, a round being one step on each batch; a ratio is taken within each turn, and
its median over turns is printed with the smallest and the largest. Memory is the most that a process held, less what it
held before there was a model, less parameters, gradients and Adam's moments. --keep-memory hands PyTorch its memory as
ours is handled: kept when freed, in large pages. PyTorch frees its gradients after each step, so that where it holds
most it does not hold them all, though they are taken off; --hold-gradients sets them to zero, as ours are. --recompute
is that of our `bench step`. Needs torch, on Linux, and for torch.compile a C++ compiler.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import time
from datetime import date
from statistics import median

VOCABULARY, DROPOUT = 10_000, 0.1
WORKLOADS = ("lm", "nmt", "nmt-ragged")
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "THP_MEM_ALLOC_ENABLE": "1"}

# --- PyTorch's part of a turn ----------------------------------------------------------------------------------------


def models():
    """The models, defined where torch is imported: `LanguageModel` and `TranslationModel`."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    class Attention(nn.Module):
        def __init__(self, width, heads, cross=False):
            super().__init__()
            self.heads = heads
            self.query = nn.Linear(width, width) if cross else None
            self.maps = nn.Linear(width, (2 if cross else 3) * width)
            self.output = nn.Linear(width, width)

        def forward(self, x, memory=None, mask=None, causal=False):
            def split(y):
                return y.view(*y.shape[:2], self.heads, -1).transpose(1, 2)

            if self.query is None:
                q, k, v = (split(y) for y in self.maps(x).chunk(3, -1))
            else:
                q, (k, v) = split(self.query(x)), (split(y) for y in self.maps(memory).chunk(2, -1))
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=DROPOUT, is_causal=causal)
            return self.output(y.transpose(1, 2).flatten(2))

    class Layer(nn.Module):
        """Pre-LN; with `cross`, a decoder's."""

        def __init__(self, width, heads, inner, causal, cross):
            super().__init__()
            self.causal = causal
            self.attention = Attention(width, heads)
            self.cross = Attention(width, heads, cross=True) if cross else None
            self.up, self.down = nn.Linear(width, inner), nn.Linear(inner, width)
            self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 if cross else 2))

        def forward(self, x, mask=None, memory=None, memory_mask=None):
            x = x + F.dropout(self.attention(self.norms[0](x), mask=mask, causal=self.causal), DROPOUT)
            if self.cross is not None:
                x = x + F.dropout(self.cross(self.norms[1](x), memory, memory_mask), DROPOUT)
            return x + F.dropout(self.down(F.relu(self.up(self.norms[-1](x)))), DROPOUT)

    class Stack(nn.Module):
        def __init__(self, layers, width, heads, inner, causal, cross=False):
            super().__init__()
            self.layers = nn.ModuleList(Layer(width, heads, inner, causal, cross) for _ in range(layers))
            self.norm = nn.LayerNorm(width)

        def forward(self, x, *rest):
            for layer in self.layers:
                x = layer(x, *rest)
            return self.norm(x)

    class Embedding(nn.Module):
        """Tokens and sinusoidal positions; the matrix also makes the logits."""

        def __init__(self, width, longest):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(VOCABULARY, width) / math.sqrt(width))
            angles = torch.arange(longest)[:, None] / 10000 ** (torch.arange(0, width, 2) / width)
            self.register_buffer("positions", torch.cat([angles.sin(), angles.cos()], 1))

        def forward(self, tokens):
            x = F.embedding(tokens, self.weight) * math.sqrt(self.weight.shape[1])
            return F.dropout(x + self.positions[: tokens.shape[1]], DROPOUT)

        def loss(self, h, targets, smoothing):
            logits = F.linear(h, self.weight)
            return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1, label_smoothing=smoothing)

    class LanguageModel(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = Embedding(256, 128)
            self.stack = Stack(4, 256, 4, 1024, causal=True)

        def forward(self, inputs, targets):
            return self.embedding.loss(self.stack(self.embedding(inputs)), targets, 0.0)

    class TranslationModel(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = Embedding(512, 64)
            self.encoder = Stack(6, 512, 4, 1024, causal=False)
            self.decoder = Stack(6, 512, 4, 1024, causal=True, cross=True)

        def forward(self, source, inputs, targets, mask=None):
            # A causal query sees no pads but those behind it, whose loss is not counted: the targets need no mask.
            memory = self.encoder(self.embedding(source), mask)
            return self.embedding.loss(self.decoder(self.embedding(inputs), None, memory, mask), targets, 0.1)

    return LanguageModel, TranslationModel


def ragged_pairs():
    """Lengths of source and target of 512 pairs, as train/bench/workloads.cpp has them."""
    sources = [4 + pair * 37 % 61 for pair in range(512)]
    return [(n, min(max(n - 8 + pair * 11 % 17, 4), 64)) for pair, n in enumerate(sources)]


def batches_of(workload, bucketed):
    import torch

    def tokens(*shape):
        return torch.randint(VOCABULARY, shape)

    if workload == "lm":
        return [(tokens(16, 128), tokens(16, 128))]
    if workload == "nmt":
        return [(tokens(64, 32), tokens(64, 32), tokens(64, 32))]
    pairs = ragged_pairs()
    if bucketed:
        pairs.sort(key=lambda pair: (pair[0] + pair[1], pair))
    batches = []
    for first in range(0, len(pairs), 64):
        sources, targets = (torch.tensor(lengths) for lengths in zip(*pairs[first : first + 64]))
        is_token = torch.arange(sources.max()) < sources[:, None]
        wanted = tokens(64, targets.max())
        wanted[torch.arange(targets.max()) >= targets[:, None]] = -1
        batches.append((tokens(64, sources.max()), tokens(*wanted.shape), wanted, is_token[:, None, None, :]))
    return batches


def resident(name):
    """VmRSS or VmHWM, in bytes."""
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith(name))


def measure_torch(arguments):
    """One line of JSON: milliseconds of a step, bytes beyond the state, PyTorch's version."""
    import torch

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    compiled = arguments.mode == "compile"

    def ready(module):
        return torch.compile(module) if compiled else module

    small = ready(torch.nn.Linear(4, 4))  # whatever PyTorch loads with the first step is no part of a model's memory
    small(torch.randn(4, 4)).sum().backward()
    before = resident("VmRSS")
    language_model, translation_model = models()
    model = (language_model if arguments.workload == "lm" else translation_model)()
    batches = batches_of(arguments.workload, arguments.bucketed)
    parameters = list(model.parameters())
    optimizer = torch.optim.Adam(parameters, lr=1e-4, betas=(0.9, 0.98), fused=True)
    loss_of = ready(model)

    def round_of_steps():
        start = time.perf_counter()
        for batch in batches:
            loss_of(*batch).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1)
            optimizer.step()
            optimizer.zero_grad(set_to_none=not arguments.hold_gradients)
        return 1e3 * (time.perf_counter() - start) / len(batches)

    for _ in range(2 if compiled else 1):  # compiled, and then also for changing lengths
        round_of_steps()
    rounds = max(1, math.ceil(arguments.steps / len(batches)) - 1)
    milliseconds = median(round_of_steps() for _ in range(rounds))
    state = 4 * sum(p.numel() * p.element_size() for p in parameters)
    print(json.dumps({"version": torch.__version__, "milliseconds": milliseconds,
                      "beyond_state_bytes": resident("VmHWM") - before - state}))


# --- The comparison --------------------------------------------------------------------------------------------------


def run(command, environment=None):
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"step_reference: exit status {done.returncode} of {' '.join(command)}")
    return json.loads(done.stdout.splitlines()[-1])


def ours(arguments, workload):
    return run([arguments.program, "bench", "step", workload, "--json", "--repeat", str(arguments.steps),
                "--threads", str(arguments.threads)] + (["--recompute", *arguments.recompute] if arguments.recompute else []))


def theirs(arguments, workload, mode, bucketed):
    words = ["--workload", workload, "--mode", mode, "--steps", str(arguments.steps),
             "--threads", str(arguments.threads)] + ["--bucketed"] * bucketed
    words += ["--hold-gradients"] * arguments.hold_gradients
    return run([sys.executable, __file__, "torch", *words], KEEP_MEMORY if arguments.keep_memory else None)


def spread(values, form):
    return f"{median(values):{form}} ({min(values):{form}}, {max(values):{form}})"


def compare(arguments):
    modes = [mode for mode in ("eager", "compile") if mode != arguments.without]
    turns = []
    for turn in range(arguments.turns):
        figures = {}
        for workload in arguments.workloads:
            figures[workload] = ours(arguments, workload)
            for bucketed in (False, True) if workload == "nmt-ragged" else (False,):
                for mode in modes:
                    figures[workload, mode, bucketed] = theirs(arguments, workload, mode, bucketed)
        turns.append(figures)
        print(f"turn {turn + 1} of {arguments.turns}", file=sys.stderr)

    of = turns[0][arguments.workloads[0]]
    version = next(figure["version"] for key, figure in turns[0].items() if isinstance(key, tuple))
    print(f"{date.today()}, {of['processor']}, {of['threads']} threads, {arguments.turns} turns")
    print(f"ours: normlab {of['version']}, {of['compiler']}, {of['build']} {of['vector_unit']}, {of['gemm']}"
          f"{', recomputed: ' * bool(arguments.recompute)}{' and '.join(arguments.recompute)}")
    print(f"theirs: PyTorch {version}{', memory kept' * arguments.keep_memory}"
          f"{', gradients held' * arguments.hold_gradients}")
    print("a step's milliseconds, megabytes beyond the state; in brackets the smallest and the largest ratio of a turn\n")
    print(f"{'':31}{'ms':>8}{'ours / theirs':>22}{'MB':>8}{'ours / theirs':>16}")
    for workload in arguments.workloads:
        own = [turn[workload] for turn in turns]
        share = 100 * median(o["share_of_peak"] for o in own)
        print(f"{workload:11}{'ours':20}{median(o['milliseconds'] for o in own):8.1f}{'':22}"
              f"{median(o['beyond_state_bytes'] for o in own) / 1e6:8.0f}    {share:.0f} % of peak")
        for key in turns[0]:
            if key[0] != workload or not isinstance(key, tuple):
                continue
            other = [turn[key] for turn in turns]
            name = key[1] + (", bucketed" if key[2] else ", padded" if workload == "nmt-ragged" else "")
            row = f"{'':11}{name:20}{median(o['milliseconds'] for o in other):8.1f}"
            row += f"{spread([a['milliseconds'] / b['milliseconds'] for a, b in zip(own, other)], '.2f'):>22}"
            row += f"{median(o['beyond_state_bytes'] for o in other) / 1e6:8.0f}"
            row += f"{median(a['beyond_state_bytes'] / b['beyond_state_bytes'] for a, b in zip(own, other)):16.2f}"
            print(row)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="path of our program; `torch` for PyTorch's part of a turn alone")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--steps", type=int, default=11, help="at least so many in a turn, the first round not counted")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=WORKLOADS)
    parser.add_argument("--without", choices=("eager", "compile"), help="a mode of PyTorch to leave out")
    parser.add_argument("--keep-memory", action="store_true")
    parser.add_argument("--hold-gradients", action="store_true")
    parser.add_argument("--recompute", nargs="+", choices=("attention", "feed_forward"), default=[])
    parser.add_argument("--workload", choices=WORKLOADS, help=argparse.SUPPRESS)
    parser.add_argument("--mode", default="eager", help=argparse.SUPPRESS)
    parser.add_argument("--bucketed", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    (measure_torch if arguments.program == "torch" else compare)(arguments)


if __name__ == "__main__":
    main()
