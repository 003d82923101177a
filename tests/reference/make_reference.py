#!/usr/bin/env python3
"""Makes the stored values that the C++ tests are compared with: every op, every layer and whole models, by PyTorch.

    python3 make_reference.py            rewrites ops.safetensors, layers.safetensors and training.safetensors
    python3 make_reference.py --check    fails when that would change them by more than rounding

All is computed in float64 from numbers that float32 holds exactly, so that one case serves both precisions. Sizes are
odd, sequences differ in length and one has length 1; gains are not 1, biases not 0 and epsilon is large, so that a slip
in any of them shows. The Transformer is written out here on padded batches, where the engine packs them, and is itself
compared with PyTorch's nn.TransformerEncoderLayer.

Names in a file are CASE/TENSOR with CASE = OP/VARIANT. In a case, x is an input, y the output, dy a random cotangent,
and dx the gradient of sum(y * dy) with respect to x. Settings (epsilon, heads, …) are numbers in the file's metadata,
named in the same way.
"""
import json
import math
import struct
import sys
import zlib
from pathlib import Path

import numpy
import torch
import torch.nn.functional as F

HERE = Path(__file__).parent


# --- Cases and files --------------------------------------------------------------------------------------------------


class Case:
    """Named tensors and settings of one case, and the random numbers it draws, which depend on its name alone."""

    all = {}  # file -> case name -> Case

    def __init__(self, file, name, **settings):
        self.generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
        self.settings = settings
        self.tensors = {}
        self.leaves = {}
        cases = Case.all.setdefault(file, {})
        assert name not in cases, name
        cases[name] = self

    def normal(self, *shape, mean=0.0, deviation=1.0):
        return (mean + deviation * torch.randn(shape, generator=self.generator)).float().double()

    def integers(self, below, count):
        return torch.randint(below, (count,), generator=self.generator)

    def keep(self, name, value):
        assert name not in self.tensors, name
        value = torch.as_tensor(value)
        self.tensors[name] = value.detach().clone()
        return value

    def input(self, name, value):
        """Keeps a value whose gradient differentiate() will keep as well."""
        self.leaves[name] = self.keep(name, value).clone().requires_grad_()
        return self.leaves[name]

    def differentiate(self, y):
        dy = self.normal(*y.shape)
        self.keep("y", y)
        self.keep("dy", dy)
        y.backward(dy)
        for name, leaf in self.leaves.items():
            self.keep("d" + name, leaf.grad)


def write_safetensors(path, tensors, metadata):
    """A safetensors file whose bytes depend on its content alone: entries by alignment, then name."""
    header, blobs, offset = {"__metadata__": metadata}, [], 0
    for name in sorted(tensors, key=lambda n: (not tensors[n].is_floating_point(), n)):
        real = tensors[name].is_floating_point()
        blob = numpy.ascontiguousarray(tensors[name].numpy(), "<f8" if real else "<i4").tobytes()
        shape = list(tensors[name].shape)
        header[name] = {"dtype": "F64" if real else "I32", "shape": shape, "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def read_safetensors(path):
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(data[start + begin : start + end], "<f8" if entry["dtype"] == "F64" else "<i4")
        tensors[name] = torch.from_numpy(values.copy()).reshape(entry["shape"])
    return tensors, metadata


def content(cases):
    tensors, metadata = {}, {}
    for case_name, case in sorted(cases.items()):
        tensors.update({f"{case_name}/{name}": value for name, value in case.tensors.items()})
        metadata.update({f"{case_name}/{name}": repr(value + 0) for name, value in sorted(case.settings.items())})
    return tensors, metadata


# --- Ops --------------------------------------------------------------------------------------------------------------


def packed_attention(query, key, value, query_lengths, key_lengths, heads, causal):
    """One sequence after the other by PyTorch's own op; its mask is set on the right lower corner, so that a query that
    stands i-th from the end sees all keys but the last i - 1."""
    outputs = []
    for q, k, v in zip(query.split(query_lengths), key.split(key_lengths), value.split(key_lengths)):
        split = [t.reshape(len(t), heads, -1).transpose(0, 1) for t in (q, k, v)]
        mask = torch.ones(len(q), len(k), dtype=torch.bool).tril(len(k) - len(q)) if causal else None
        outputs.append(F.scaled_dot_product_attention(*split, attn_mask=mask).transpose(0, 1).reshape(len(q), -1))
    return torch.cat(outputs)


def make_ops():
    def case(name, **settings):
        return Case("ops", name, **settings)

    c = case("linear/bias")
    y = F.linear(c.input("x", c.normal(2, 3, 5)), c.input("weight", c.normal(7, 5)), c.input("bias", c.normal(7)))
    c.differentiate(y)
    c = case("linear/no_bias")
    c.differentiate(F.linear(c.input("x", c.normal(11, 3)), c.input("weight", c.normal(1, 3))))

    for transpose_a in (False, True):
        for transpose_b in (False, True):
            c = case(f"matmul/{'nt'[transpose_a]}{'nt'[transpose_b]}", transpose_a=transpose_a, transpose_b=transpose_b)
            a = c.input("a", c.normal(*((5, 3) if transpose_a else (3, 5))))
            b = c.input("b", c.normal(*((7, 5) if transpose_b else (5, 7))))
            c.differentiate((a.T if transpose_a else a) @ (b.T if transpose_b else b))

    for name, op in {"add": torch.add, "subtract": torch.sub, "multiply": torch.mul}.items():
        c = case(f"{name}/odd")
        c.differentiate(op(c.input("a", c.normal(3, 5)), c.input("b", c.normal(3, 5))))
    c = case("add_bias/odd")
    c.differentiate(c.input("x", c.normal(7, 3)) + c.input("bias", c.normal(3)))
    c = case("scale/odd", factor=-0.75)
    c.differentiate(c.input("x", c.normal(7, 3)) * -0.75)

    extremes = torch.tensor([0.0, 1e-3, -1e-3, 4.0, -4.0, 30.0, -30.0], dtype=torch.float32).double()
    for name, op in {"relu": F.relu, "gelu": F.gelu}.items():
        c = case(f"{name}/normal")
        c.differentiate(op(c.input("x", c.normal(5, 7))))
        c = case(f"{name}/extremes")
        c.differentiate(op(c.input("x", extremes)))

    for name, op in {"softmax": F.softmax, "log_softmax": F.log_softmax}.items():
        c = case(f"{name}/normal")
        c.differentiate(op(c.input("x", c.normal(5, 9, deviation=3.0)), -1))
        c = case(f"{name}/far_from_zero")  # with the maximum left in, exp overflows in one row and is 0 in the other
        x = torch.cat([c.normal(1, 7, mean=1024.0, deviation=3.0), c.normal(1, 7, mean=-1024.0, deviation=3.0)])
        c.differentiate(op(c.input("x", x), -1))

    reductions = {
        "sum": torch.sum,
        "mean": torch.mean,
        "sum_rows": lambda x: x.sum(0),
        "mean_rows": lambda x: x.mean(0),
        "sum_of_squares": lambda x: (x * x).sum(),
    }
    for name, op in reductions.items():
        c = case(f"{name}/odd")
        c.differentiate(op(c.input("x", c.normal(13, 5, mean=1.0))))

    c = case("gather_rows/repeated")
    x, rows = c.input("x", c.normal(6, 3)), c.keep("rows", torch.tensor([4, 0, 4, 5, 4, 0]))
    c.differentiate(x[rows])
    lengths = [4, 1, 3]
    c = case("prepend_row/ragged")
    c.keep("lengths", lengths)
    x, row = c.input("x", c.normal(sum(lengths), 5)), c.input("row", c.normal(5))
    c.differentiate(torch.cat([torch.cat([row[None], sequence]) for sequence in x.split(lengths)]))
    c = case("mean_of_sequences/ragged")
    c.keep("lengths", lengths)
    x = c.input("x", c.normal(sum(lengths), 5))
    c.differentiate(torch.stack([sequence.mean(0) for sequence in x.split(lengths)]))
    c = case("embedding/repeated", factor=math.sqrt(5))
    table, ids = c.input("table", c.normal(7, 5)), c.keep("ids", torch.tensor([3, 6, 3, 0, 3, 1, 6, 0, 3]))
    c.differentiate(F.embedding(ids, table) * math.sqrt(5))

    c = case("layer_norm/large_epsilon", epsilon=0.1)
    x = c.input("x", c.normal(6, 7, mean=0.5))
    weight, bias = c.input("weight", c.normal(7, mean=1.0)), c.input("bias", c.normal(7))
    c.differentiate(F.layer_norm(x, (7,), weight, bias, 0.1))
    c = case("layer_norm/plain", epsilon=1e-5)
    c.differentiate(F.layer_norm(c.input("x", c.normal(3, 2, 5, deviation=0.05)), (5,), eps=1e-5))
    c = case("layer_norm/offset", epsilon=1e-5)  # the variance as E[x^2] - E[x]^2 would lose it in float32
    x = c.input("x", torch.round(c.normal(4, 15) * 64) / 64 + 100)
    c.differentiate(F.layer_norm(x, (15,), c.input("weight", c.normal(15, mean=1.0)), None, 1e-5))

    for name, smoothing, counted, divisor in (
        ("plain", 0.0, None, 0.0),
        ("smoothed", 0.1, None, 0.0),
        ("left_out", 0.0, [0, 1, 1, 0, 1, 1, 0], 0.0),
        ("all_at_once", 0.1, [1, 0, 1, 1, 1, 0, 1], 11.0),
    ):
        c = case(f"cross_entropy/{name}", label_smoothing=smoothing, divisor=divisor)
        logits = c.input("logits", c.normal(7, 9, deviation=4.0))
        targets = c.keep("targets", c.integers(9, 7))
        c.keep("lengths", [4, 3])
        keep = torch.ones(7, dtype=torch.bool)
        if counted:
            keep = c.keep("counted", torch.tensor(counted)).bool()
            targets = torch.where(keep, targets, -100)
        loss = F.cross_entropy(logits, targets, ignore_index=-100, label_smoothing=smoothing, reduction="sum")
        c.settings["nll"] = F.cross_entropy(logits, targets, ignore_index=-100, reduction="sum").item()
        c.settings["smoothed"] = loss.item()
        c.settings["tokens"] = int(keep.sum())
        c.differentiate(loss / (divisor or keep.sum()))

    for name, heads, causal, query_lengths, key_lengths in (
        ("self", 3, False, [5, 1, 8], [5, 1, 8]),
        ("causal", 3, True, [5, 1, 8], [5, 1, 8]),
        ("cross", 3, False, [4, 1, 3, 2], [2, 7, 1, 5]),
        ("cache", 3, True, [1, 3, 2, 1], [6, 5, 2, 1]),
        ("one_head", 1, True, [3, 11], [3, 11]),
    ):
        c = case(f"attention/{name}", heads=heads, causal=causal)
        c.keep("query_lengths", query_lengths)
        c.keep("key_lengths", key_lengths)
        query = c.input("query", c.normal(sum(query_lengths), 9))
        key = c.input("key", c.normal(sum(key_lengths), 9))
        value = c.input("value", c.normal(sum(key_lengths), 9))
        c.differentiate(packed_attention(query, key, value, query_lengths, key_lengths, heads, causal))


# --- Layers -----------------------------------------------------------------------------------------------------------

VOCABULARY, WIDTH, INNER, HEADS = 13, 9, 11, 3
EPSILON = 0.1
SMOOTHING = 0.1
ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}


def attention_shapes(width, path):
    for projection in ("query", "key", "value", "output"):
        yield f"{path}{projection}.weight", (width, width)
        yield f"{path}{projection}.bias", (width,)


def feed_forward_shapes(width, inner, path):
    yield f"{path}inner.weight", (inner, width)
    yield f"{path}inner.bias", (inner,)
    yield f"{path}outer.weight", (width, inner)
    yield f"{path}outer.bias", (width,)


def norm_shapes(width, path):
    yield f"{path}weight", (width,)
    yield f"{path}bias", (width,)


def layer_shapes(width, inner, path):
    yield from attention_shapes(width, f"{path}attention.")
    yield from norm_shapes(width, f"{path}attention_norm.")
    yield from feed_forward_shapes(width, inner, f"{path}feed_forward.")
    yield from norm_shapes(width, f"{path}feed_forward_norm.")


def draw_parameters(case, shapes):
    """Weights of ordinary size, gains around 1 and biases around 0, none of them all 1 or 0. Kept as parameter/PATH."""
    parameters = {}
    for path, shape in shapes:
        if "norm." in path:
            value = case.normal(*shape, mean=float(path.endswith("weight")), deviation=0.3)
        elif path.endswith("bias"):
            value = case.normal(*shape, deviation=0.3)
        else:
            value = case.normal(*shape, deviation=shape[-1] ** -0.5)
        parameters[path] = case.keep(f"parameter/{path}", value).clone().requires_grad_()
    return parameters


def keep_gradients(case, parameters):
    for path, parameter in parameters.items():
        gradient = parameter.grad
        if path.endswith("key.bias"):  # softmax does not change when every key moves by the same vector
            assert gradient.abs().max() < 1e-14, gradient
            gradient = torch.zeros_like(gradient)
        case.keep(f"gradient/{path}", gradient)


def linear(p, path, x):
    return F.linear(x, p[f"{path}weight"], p[f"{path}bias"])


def multi_head_attention(p, path, x, source, mask, heads):
    """x[batch, n, width] looks at source[batch, m, width] where mask[batch, n, m] is true."""
    q, k, v = (
        linear(p, f"{path}{name}.", t).unflatten(-1, (heads, -1)).transpose(1, 2)
        for name, t in (("query", x), ("key", source), ("value", source))
    )
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    attended = scores.masked_fill(~mask[:, None], -math.inf).softmax(-1) @ v
    return linear(p, f"{path}output.", attended.transpose(1, 2).flatten(-2))


def feed_forward(p, path, x, activation):
    return linear(p, f"{path}outer.", ACTIVATIONS[activation](linear(p, f"{path}inner.", x)))


def norm(p, path, x):
    return F.layer_norm(x, x.shape[-1:], p[f"{path}weight"], p[f"{path}bias"], EPSILON)


def transformer_layer(p, path, x, mask, heads, pre, activation):
    """Xiong et al. 2020, table 1."""
    if pre:
        n = norm(p, f"{path}attention_norm.", x)
        x = x + multi_head_attention(p, f"{path}attention.", n, n, mask, heads)
        return x + feed_forward(p, f"{path}feed_forward.", norm(p, f"{path}feed_forward_norm.", x), activation)
    x = norm(p, f"{path}attention_norm.", x + multi_head_attention(p, f"{path}attention.", x, x, mask, heads))
    return norm(p, f"{path}feed_forward_norm.", x + feed_forward(p, f"{path}feed_forward.", x, activation))


def real_rows(lengths):
    """[batch, longest]: which rows of a padded batch are tokens."""
    return torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]


def pad(x, lengths):
    return torch.nn.utils.rnn.pad_sequence(x.split(lengths), batch_first=True)


def attention_mask(query_lengths, key_lengths, causal):
    mask = real_rows(key_lengths)[:, None].expand(-1, max(query_lengths), -1)
    return mask & torch.ones(mask.shape[-2:], dtype=torch.bool).tril() if causal else mask


def torch_transformer_layer(p, path, x, lengths, heads, causal, pre, activation):
    """The same by PyTorch's module; a second opinion on transformer_layer()."""
    width, inner = x.shape[-1], len(p[f"{path}feed_forward.inner.bias"])
    module = torch.nn.TransformerEncoderLayer(
        width, heads, inner, 0.0, ACTIVATIONS[activation], EPSILON, True, norm_first=pre, dtype=torch.float64
    )
    attention = f"{path}attention."
    state = {
        "self_attn.in_proj_weight": torch.cat([p[f"{attention}{name}.weight"] for name in ("query", "key", "value")]),
        "self_attn.in_proj_bias": torch.cat([p[f"{attention}{name}.bias"] for name in ("query", "key", "value")]),
    }
    for ours, theirs in (
        ("attention.output", "self_attn.out_proj"),
        ("feed_forward.inner", "linear1"),
        ("feed_forward.outer", "linear2"),
        ("attention_norm", "norm1"),
        ("feed_forward_norm", "norm2"),
    ):
        state |= {f"{theirs}.{kind}": p[f"{path}{ours}.{kind}"] for kind in ("weight", "bias")}
    unseen = ~torch.ones(max(lengths), max(lengths), dtype=torch.bool).tril() if causal else None
    return torch.func.functional_call(
        module.train(), state, (x,), {"src_mask": unseen, "src_key_padding_mask": ~real_rows(lengths)}
    )


def assert_same(a, b, what):
    assert (a - b).abs().max() < 1e-13 * max(1.0, b.abs().max()), f"{what}: {(a - b).abs().max()}"


def make_layers():
    width, inner, heads = WIDTH, INNER, HEADS

    for name, causal, query_lengths, key_lengths in (
        ("causal", True, [4, 1, 6], [4, 1, 6]),
        ("cross", False, [4, 1, 3], [2, 7, 1]),
    ):
        c = Case("layers", f"attention/{name}", heads=heads, causal=causal)
        c.keep("query_lengths", query_lengths)
        c.keep("key_lengths", key_lengths)
        x = c.input("x", c.normal(sum(query_lengths), width))
        source = x if causal else c.input("source", c.normal(sum(key_lengths), width))
        p = draw_parameters(c, attention_shapes(width, ""))
        mask = attention_mask(query_lengths, key_lengths, causal)
        y = multi_head_attention(p, "", pad(x, query_lengths), pad(source, key_lengths), mask, heads)
        c.differentiate(y[real_rows(query_lengths)])
        keep_gradients(c, p)

    for activation in ACTIVATIONS:
        c = Case("layers", f"feed_forward/{activation}", inner=inner, gelu=activation == "gelu")
        x = c.input("x", c.normal(8, width))
        p = draw_parameters(c, feed_forward_shapes(width, inner, ""))
        c.differentiate(feed_forward(p, "", x, activation))
        keep_gradients(c, p)

    c = Case("layers", "norm/layer", epsilon=EPSILON)
    x = c.input("x", c.normal(8, width))
    p = draw_parameters(c, norm_shapes(width, "norm."))  # drawn as a norm's, then named as the norm's own
    c.tensors = {name.replace("norm.", ""): value for name, value in c.tensors.items()}
    c.differentiate(norm(p, "norm.", x))
    keep_gradients(c, {path.removeprefix("norm."): parameter for path, parameter in p.items()})

    for placement in ("pre", "post"):
        for causal, activation in ((True, "relu"), (False, "gelu")):
            lengths = [5, 1, 7]
            c = Case("layers", f"transformer_layer/{placement}_{'causal' if causal else 'full'}", width=width,
                     feed_forward=inner, heads=heads, causal=causal, pre=placement == "pre", gelu=activation == "gelu",
                     epsilon=EPSILON)
            c.keep("lengths", lengths)
            x = c.input("x", c.normal(sum(lengths), width))
            p = draw_parameters(c, layer_shapes(width, inner, ""))
            mask = attention_mask(lengths, lengths, causal)
            y = transformer_layer(p, "", pad(x, lengths), mask, heads, placement == "pre", activation)
            c.differentiate(y[real_rows(lengths)])
            keep_gradients(c, p)

            # Value and gradients again by PyTorch's own layer.
            twin = {path: value.detach().clone().requires_grad_() for path, value in p.items()}
            twin_x = x.detach().clone().requires_grad_()
            twin_y = torch_transformer_layer(
                twin, "", pad(twin_x, lengths), lengths, heads, causal, placement == "pre", activation
            )[real_rows(lengths)]
            twin_y.backward(c.tensors["dy"])
            assert_same(y[real_rows(lengths)], twin_y, "output")
            assert_same(x.grad, twin_x.grad, "gradient of x")
            for path in p:
                assert_same(p[path].grad, twin[path].grad, path)


# --- Language models --------------------------------------------------------------------------------------------------

def model_case(file, name, *, pre, activation, layers=2, tied=True):
    """A case whose settings are a model's: Pre-LN has a final norm; an untied one has learned positions and leaves out
    the factor sqrt(width)."""
    return Case(file, name, layers=layers, width=WIDTH, feed_forward=INNER, heads=HEADS, vocabulary=VOCABULARY,
                longest_sequence=8, pre=pre, final_norm=pre, gelu=activation == "gelu", tie_output=tied,
                embedding_scale=tied, learned_positions=not tied, epsilon=EPSILON, label_smoothing=SMOOTHING)


def model_shapes(m):
    yield "embedding.weight", (VOCABULARY, WIDTH)
    if m["learned_positions"]:
        yield "positions.weight", (m["longest_sequence"], WIDTH)
    for layer in range(m["layers"]):
        yield from layer_shapes(WIDTH, INNER, f"layers.{layer}.")
    if m["final_norm"]:
        yield from norm_shapes(WIDTH, "final_norm.")
    if not m["tie_output"]:
        yield "output.weight", (VOCABULARY, WIDTH)


def sinusoidal_positions(length, width):
    """Vaswani et al. 2017, 3.5: sine on even features, cosine on odd ones."""
    table = torch.empty(length, width, dtype=torch.float64)
    for position in range(length):
        for feature in range(width):
            angle = position / 10000 ** ((feature - feature % 2) / width)
            table[position, feature] = math.cos(angle) if feature % 2 else math.sin(angle)
    return table


def language_model(p, m, inputs, lengths):
    """Logits of the packed tokens by the model of settings m."""
    longest = max(lengths)
    x = p["embedding.weight"][pad(inputs, lengths)] * (math.sqrt(WIDTH) if m["embedding_scale"] else 1)
    x = x + (p["positions.weight"][:longest] if m["learned_positions"] else sinusoidal_positions(longest, WIDTH))
    mask = attention_mask(lengths, lengths, causal=True)
    for layer in range(m["layers"]):
        x = transformer_layer(p, f"layers.{layer}.", x, mask, HEADS, m["pre"], "gelu" if m["gelu"] else "relu")
    if m["final_norm"]:
        x = norm(p, "final_norm.", x)
    return F.linear(x[real_rows(lengths)], p["embedding.weight" if m["tie_output"] else "output.weight"])


def draw_batch(case, lengths, suffix=""):
    tokens = sum(lengths)
    inputs, targets = case.integers(VOCABULARY, tokens), case.integers(VOCABULARY, tokens)
    counted = torch.ones(tokens, dtype=torch.int64)
    counted[case.integers(tokens, tokens // 5)] = 0
    for name, value in (("inputs", inputs), ("targets", targets), ("lengths", lengths), ("counted", counted)):
        case.keep(name + suffix, value)
    return inputs, torch.where(counted.bool(), targets, -100), lengths


def model_loss(logits, targets):
    return F.cross_entropy(logits, targets, ignore_index=-100, label_smoothing=SMOOTHING)


def make_models():
    for name, options in {
        "pre": dict(pre=True, activation="gelu"),
        "post": dict(pre=False, activation="relu"),
        "untied": dict(pre=False, activation="gelu", layers=1, tied=False),
    }.items():
        c = model_case("layers", f"language_model/{name}", **options)
        p = draw_parameters(c, model_shapes(c.settings))
        inputs, targets, lengths = draw_batch(c, [5, 1, 7, 3])
        logits = c.keep("logits", language_model(p, c.settings, inputs, lengths))
        loss = c.keep("loss", model_loss(logits, targets))
        loss.backward()
        keep_gradients(c, p)


def spared(path):
    """What decoupled weight decay leaves alone."""
    return path.endswith(".bias") or "norm" in path


def make_training():
    """Ten optimizer steps over three batches in turn, under a rate that changes every step."""
    steps = 10
    optimizers = {
        "adam": (dict(beta1=0.9, beta2=0.98, adam_epsilon=1e-8), 0.01),
        "adamw": (dict(beta1=0.8, beta2=0.95, adam_epsilon=1e-3, weight_decay=0.1), 0.02),
        "sgd": (dict(momentum=0.9, clip=1.5), 0.05),
    }
    for name, pre, activation in (
        ("adam/pre", True, "relu"),
        ("adam/post", False, "gelu"),
        ("adamw/pre", True, "gelu"),
        ("sgd/post", False, "relu"),
    ):
        c = model_case("training", name, pre=pre, activation=activation)
        kind = name.split("/")[0]
        options, rate = optimizers[kind]
        c.settings |= options
        p = draw_parameters(c, model_shapes(c.settings))
        if kind == "sgd":
            optimizer = torch.optim.SGD(p.values(), rate, momentum=options["momentum"])
        else:
            groups = [
                {"params": [v for path, v in p.items() if not spared(path)]},
                {"params": [v for path, v in p.items() if spared(path)], "weight_decay": 0.0},
            ]
            make = torch.optim.Adam if kind == "adam" else torch.optim.AdamW
            optimizer = make(groups, rate, (options["beta1"], options["beta2"]), options["adam_epsilon"],
                             weight_decay=options.get("weight_decay", 0.0))
        batches = [draw_batch(c, lengths, f".{i}") for i, lengths in enumerate(([5, 1, 7, 3], [2, 8], [1, 1, 4]))]
        rates = [rate * min(t / 4, (4 / t) ** 0.5) for t in range(1, steps + 1)]
        c.keep("rates", torch.tensor(rates, dtype=torch.float64))
        losses = []
        for step in range(steps):
            inputs, targets, lengths = batches[step % len(batches)]
            loss = model_loss(language_model(p, c.settings, inputs, lengths), targets)
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            if "clip" in options:
                length = torch.sqrt(sum((v.grad**2).sum() for v in p.values()))
                for v in p.values():
                    v.grad *= min(1.0, options["clip"] / length)
            for group in optimizer.param_groups:
                group["lr"] = rates[step]
            optimizer.step()
        assert losses[-1] < losses[0] or losses[-1] < math.log(VOCABULARY), losses
        c.keep("losses", torch.tensor(losses, dtype=torch.float64))
        for path, parameter in p.items():
            c.keep(f"trained/{path}", parameter)


def make_files(*parts):
    """Makes all cases of those parts; writes their files, or with --check compares with what is there."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float32)  # random numbers are drawn so, and then computed with in float64
    for part in parts:
        part()
    for file, cases in Case.all.items():
        path = HERE / f"{file}.safetensors"
        tensors, metadata = content(cases)
        if "--check" in sys.argv[1:]:
            stored, stored_metadata = read_safetensors(path)
            assert stored.keys() == tensors.keys(), f"{path}: other tensors"
            assert stored_metadata.keys() == metadata.keys(), f"{path}: other settings"
            for name, value in tensors.items():
                assert stored[name].shape == value.shape, f"{path}: {name}"
                assert torch.allclose(stored[name].double(), value.double(), rtol=1e-11, atol=1e-13), f"{path}: {name}"
            for name, value in metadata.items():
                assert math.isclose(float(stored_metadata[name]), float(value), rel_tol=1e-11), f"{path}: {name}"
        else:
            write_safetensors(path, tensors, metadata)
        print(f"{path.name}: {len(cases)} cases, {len(tensors)} tensors, {path.stat().st_size} bytes")


if __name__ == "__main__":
    make_files(make_ops, make_layers, make_models, make_training)
