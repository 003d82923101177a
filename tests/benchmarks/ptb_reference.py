#!/usr/bin/env python3
"""An independent PyTorch model of the same setting as a run of ours: a causal Pre-LN language model on words.

    python3 ptb_reference.py follow CONFIG CHECKPOINT BATCHES [--metrics METRICS]
    python3 ptb_reference.py train CONFIG DATA [--epochs N] [--seed S]

CONFIG is the resolved config.json of a run: model, optimizer, schedule and batching are read from it, and what this
model cannot do is refused. Needs torch, numpy and safetensors.

`follow` takes the initial weights from CHECKPOINT and as many steps as BATCHES holds batches, without dropout, and
prints each step's loss. With METRICS, the metrics.jsonl of our run of the same batches, it prints both losses and the
largest difference, and fails when that is above 1e-3. BATCHES is a safetensors file of I32 vectors; for i = 0, 1, …:

    inputs.<i>, targets.<i>   [tokens]         the packed sequences of batch i
    offsets.<i>               [sequences + 1]  sequence s is rows offsets[s] to offsets[s + 1]

`train` starts from weights of its own seed, trains with the config's dropout on the texts of the folder DATA, in the
same kind of batches in an order of its own, and prints the validation perplexity after each epoch: exp of the summed
negative log-likelihood over the predicted tokens, every line closed by <eos>, in fixed segments, the tail included.
"""
import argparse
import json
import math
import sys
import time
from collections import Counter
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn


def require(ok, message):
    if not ok:
        sys.exit(f"ptb_reference: {message}")


# --- The model: its attributes are named so that its state dict has the names of our checkpoint ----------------------


class Attention(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.heads, self.dropout = heads, dropout

    def forward(self, x):
        q, k, v = (f(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for f in (self.query, self.key, self.value))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=self.dropout if self.training else 0.0)
        return self.output(y.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self, width, inner, activation, dropout):
        super().__init__()
        self.inner, self.outer = nn.Linear(width, inner), nn.Linear(inner, width)
        self.activation = {"relu": F.relu, "gelu": F.gelu}[activation]
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        return self.outer(self.dropout(self.activation(self.inner(x))))


class Layer(nn.Module):
    def __init__(self, m):
        super().__init__()
        width, epsilon = m["width"], m["norm"]["epsilon"]
        self.attention = Attention(width, m["heads"], m["attention_dropout"])
        self.attention_norm = nn.LayerNorm(width, epsilon)
        self.feed_forward = FeedForward(width, m["feed_forward"], m["activation"], m["activation_dropout"])
        self.feed_forward_norm = nn.LayerNorm(width, epsilon)
        self.dropout = nn.Dropout(m["dropout"])

    def forward(self, x):
        x = x + self.dropout(self.attention(self.attention_norm(x)))
        return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


class LanguageModel(nn.Module):
    def __init__(self, m, vocabulary):
        super().__init__()
        require(m["placement"] == "pre" and m["final_norm"], "the model must be Pre-LN with a final norm")
        require(m["norm"]["kind"] == "layer", "the norm must be layer normalization")
        require(m["tie_output"] and m["positions"] == "sinusoidal", "output must be tied and positions sinusoidal")
        self.width = m["width"]
        self.factor = math.sqrt(self.width) if m["embedding_scale"] else 1.0
        self.embedding = nn.Embedding(vocabulary, self.width)
        self.dropout = nn.Dropout(m["dropout"])
        self.layers = nn.ModuleList(Layer(m) for _ in range(m["layers"]))
        self.final_norm = nn.LayerNorm(self.width, m["norm"]["epsilon"])

    def initialize(self):
        """The embedding N(0, 1 / width), matrices by Glorot & Bengio's normal rule, biases 0 and gains 1."""
        nn.init.normal_(self.embedding.weight, std=self.width**-0.5)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight)
                nn.init.zeros_(module.bias)

    def positions(self, length):
        """Sine on even features, cosine on odd ones, wavelengths from 2 pi to 10000 * 2 pi."""
        position = torch.arange(length, dtype=torch.float64)[:, None]
        feature = torch.arange(self.width)[None]
        angle = position / 10000 ** ((feature - feature % 2) / self.width)
        return torch.where(feature % 2 == 0, angle.sin(), angle.cos()).float()

    def forward(self, inputs):
        """Logits[sequences, length, vocabulary] of inputs[sequences, length]."""
        x = self.dropout(self.factor * self.embedding(inputs) + self.positions(inputs.shape[1]))
        for layer in self.layers:
            x = layer(x)
        return F.linear(self.final_norm(x), self.embedding.weight)


IGNORED = -100  # target of a padded position


def make_optimizer(model, t):
    o = t["optimizer"]
    require(o["kind"] == "adam", f"the optimizer must be adam, is {o['kind']}")
    require(t.get("accumulate", 1) == 1, "gradients must not be accumulated")
    return torch.optim.Adam(model.parameters(), o["rate"], (o["beta1"], o["beta2"]), o["epsilon"])


def rate_factor(step, steps, schedule):
    """What the peak rate is multiplied by at `step`, counted from 1: a ramp times a decay."""
    warmup, decay = schedule["warmup_steps"], schedule["decay"]
    ramp = min(1.0, step / warmup) if warmup else 1.0
    if decay["kind"] == "constant":
        return ramp
    if decay["kind"] == "linear":
        hold = decay["hold_steps"]
        done = min(1.0, max(0.0, (step - hold) / (steps - hold))) if steps > hold else 0.0
        return ramp * (1 - (1 - decay["final_factor"]) * done)
    require(decay["kind"] == "inverse_sqrt", f"unknown decay {decay['kind']}")
    return ramp * min(1.0, math.sqrt(decay["decay_steps"] / step))


def train_step(model, optimizer, inputs, targets, t, step, steps):
    logits = model(inputs)
    loss = F.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, label_smoothing=t["label_smoothing"]
    )
    optimizer.zero_grad()
    loss.backward()
    if t.get("clip", 0):
        nn.utils.clip_grad_norm_(model.parameters(), t["clip"])
    for group in optimizer.param_groups:
        group["lr"] = t["optimizer"]["rate"] * rate_factor(step, steps, t["schedule"])
    optimizer.step()
    return loss.item()


# --- follow -----------------------------------------------------------------------------------------------------------


def read_batches(path):
    """Inputs and targets [sequences, longest] of each batch. Padding comes last, so that no causal query sees it."""
    stored = load_file(path)
    batches = []
    while (i := len(batches)) < len(stored) and f"inputs.{i}" in stored:
        lengths = stored[f"offsets.{i}"].diff().tolist()
        batches.append(
            [
                nn.utils.rnn.pad_sequence(stored[f"{name}.{i}"].long().split(lengths), True, padding)
                for name, padding in (("inputs", 0), ("targets", IGNORED))
            ]
        )
    require(batches, f"{path}: holds no tensor inputs.0")
    return batches


def follow(arguments, config):
    weights = {name.removeprefix("model."): value for name, value in load_file(arguments.checkpoint).items()
               if name.startswith("model.")}
    require("embedding.weight" in weights, f"{arguments.checkpoint}: holds no tensor model.embedding.weight")
    model = LanguageModel(config["model"], len(weights["embedding.weight"])).eval()
    model.load_state_dict(weights)
    optimizer = make_optimizer(model, config["train"])
    batches = read_batches(arguments.batches)
    steps = config["train"].get("steps") or 0
    require(steps or config["train"]["schedule"]["decay"]["kind"] != "linear", "a linear decay needs train.steps")

    ours = {}
    if arguments.metrics:
        records = [json.loads(line) for line in Path(arguments.metrics).read_text().splitlines()]
        ours = {record["step"]: record["loss"] for record in records if record["event"] == "train"}
    worst = 0.0
    for step, (inputs, targets) in enumerate(batches, 1):
        loss = train_step(model, optimizer, inputs, targets, config["train"], step, steps)
        if not ours:
            print(f"{step} {loss:.6f}", flush=True)
            continue
        require(step in ours, f"{arguments.metrics}: has no train record of step {step}; set train.log_every to 1")
        difference = abs(loss - ours[step])
        worst = max(worst, difference) if difference == difference else math.inf
        print(f"{step} {loss:.6f} {ours[step]:.6f} {difference:.1e}", flush=True)
    if ours:
        print(f"largest difference of {len(batches)} losses: {worst:.2e}, must be at most 1e-3")
        require(worst <= 1e-3, "the losses differ")


# --- train ------------------------------------------------------------------------------------------------------------


def read_words(path):
    return [word for line in Path(path).read_text(encoding="utf-8").splitlines() for word in (*line.split(), "<eos>")]


def training_batches(tokens, sequence_length, sequences, generator):
    """A whole number of batches of equal segments, from a start and in an order drawn anew."""
    predicted = len(tokens) - 1
    segments = predicted // (sequence_length * sequences) * sequences
    require(segments > 0, "the training text is shorter than a batch")
    first = int(torch.randint(predicted - segments * sequence_length + 1, (), generator=generator))
    order = torch.randperm(segments, generator=generator).view(-1, sequences)
    places = first + order[..., None] * sequence_length + torch.arange(sequence_length)
    return [(tokens[p], tokens[p + 1]) for p in places]


def evaluation_batches(tokens, sequence_length, sequences):
    """Segments in order, every token but the very first predicted once; the tail is a shorter segment by itself."""
    predicted = len(tokens) - 1
    whole = predicted // sequence_length * sequence_length
    inputs, targets = (t[:whole].view(-1, sequence_length) for t in (tokens[:-1], tokens[1:]))
    batches = list(zip(inputs.split(sequences), targets.split(sequences))) if whole else []
    return batches + ([(tokens[None, whole:-1], tokens[None, whole + 1 :])] if whole < predicted else [])


@torch.no_grad()
def perplexity(model, batches):
    model.eval()
    nll = tokens = 0
    for inputs, targets in batches:
        nll += F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten(), reduction="sum").double().item()
        tokens += targets.numel()
    model.train()
    return math.exp(nll / tokens), tokens


def train(arguments, config):
    data, t = config["data"], config["train"]
    batching = data["batching"]
    require(data["unit"] == "word" and batching["kind"] == "continuous", "data must be words in continuous batches")
    shape = batching["sequence_length"], batching["sequences"]
    folder = Path(arguments.data)
    words = {split: read_words(folder / Path(data[split]).name) for split in ("train", "valid")}
    ids = {word: i for i, (word, _) in enumerate(Counter(words["train"]).most_common())}
    unseen = [] if "<unk>" in ids else sorted(set(words["valid"]) - ids.keys())
    require(not unseen, f"the vocabulary lacks {unseen[:5]} of the validation text")
    tokens = {s: torch.tensor([ids.get(word, ids.get("<unk>")) for word in text]) for s, text in words.items()}

    torch.manual_seed(arguments.seed)
    order = torch.Generator().manual_seed(arguments.seed)
    model = LanguageModel(config["model"], len(ids))
    model.initialize()
    optimizer = make_optimizer(model, t)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"vocabulary {len(ids)}, training tokens {len(tokens['train'])}, parameters {parameters}", flush=True)

    validation = evaluation_batches(tokens["valid"], *shape)
    steps_per_epoch = (len(tokens["train"]) - 1) // (shape[0] * shape[1])
    steps = t.get("steps") or t["epochs"] * steps_per_epoch
    step, start = 0, time.time()
    for epoch in range(1, (arguments.epochs or math.ceil(steps / steps_per_epoch)) + 1):
        losses = []
        for inputs, targets in training_batches(tokens["train"], *shape, order):
            step += 1
            losses.append(train_step(model, optimizer, inputs, targets, t, step, steps))
        value, predicted = perplexity(model, validation)
        print(f"epoch {epoch}: steps {step}, training loss {sum(losses) / len(losses):.4f}, validation perplexity "
              f"{value:.3f} over {predicted} tokens, {time.time() - start:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("follow", help="the losses of a run of ours, from the same weights and batches")
    command.add_argument("config")
    command.add_argument("checkpoint")
    command.add_argument("batches")
    command.add_argument("--metrics")
    command = commands.add_parser("train", help="a training of its own")
    command.add_argument("config")
    command.add_argument("data")
    command.add_argument("--epochs", type=int, help="fewer than the config's; the schedule stays the config's")
    command.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = json.loads(Path(arguments.config).read_text())
    {"follow": follow, "train": train}[arguments.command](arguments, config)


if __name__ == "__main__":
    main()
