#!/usr/bin/env python3
"""Makes translation.safetensors: encoder-decoder models, their loss, every gradient and each step of decoding, by PyTorch.

    python3 make_translation.py            rewrites translation.safetensors
    python3 make_translation.py --check    fails when that would change it by more than rounding

Names, sizes and conventions are those of make_reference.py. The model is written out on padded batches; its decoder's
layer is compared with PyTorch's nn.TransformerDecoderLayer.
"""
import math

import torch
import torch.nn.functional as F

from make_reference import (
    ACTIVATIONS, EPSILON, HEADS, INNER, SMOOTHING, VOCABULARY, WIDTH, Case, assert_same, attention_mask,
    attention_shapes, draw_parameters, feed_forward, feed_forward_shapes, keep_gradients, layer_shapes, make_files,
    multi_head_attention, norm, norm_shapes, pad, real_rows, sinusoidal_positions, transformer_layer,
)

LAYERS, LONGEST, SOURCE_VOCABULARY = 2, 8, 11


def decoder_layer_shapes(path):
    yield from attention_shapes(WIDTH, f"{path}attention.")
    yield from norm_shapes(WIDTH, f"{path}attention_norm.")
    yield from attention_shapes(WIDTH, f"{path}cross_attention.")
    yield from norm_shapes(WIDTH, f"{path}cross_attention_norm.")
    yield from feed_forward_shapes(WIDTH, INNER, f"{path}feed_forward.")
    yield from norm_shapes(WIDTH, f"{path}feed_forward_norm.")


def model_shapes(m):
    if m["share_all"]:
        yield "embedding.weight", (VOCABULARY, WIDTH)
    else:
        yield "encoder.embedding.weight", (SOURCE_VOCABULARY, WIDTH)
        yield "decoder.embedding.weight", (VOCABULARY, WIDTH)
    if m["learned_positions"]:
        yield "encoder.positions.weight", (LONGEST, WIDTH)
        yield "decoder.positions.weight", (LONGEST, WIDTH)
    for layer in range(LAYERS):
        yield from layer_shapes(WIDTH, INNER, f"encoder.layers.{layer}.")
    for layer in range(LAYERS):
        yield from decoder_layer_shapes(f"decoder.layers.{layer}.")
    if m["final_norm"]:
        yield from norm_shapes(WIDTH, "encoder.final_norm.")
        yield from norm_shapes(WIDTH, "decoder.final_norm.")
    if m["output_matrix"]:
        yield "output.weight", (VOCABULARY, WIDTH)


def decoder_layer(p, path, x, source, mask, source_mask, pre, activation):
    branches = (
        ("attention", lambda h: multi_head_attention(p, f"{path}attention.", h, h, mask, HEADS)),
        ("cross_attention",
         lambda h: multi_head_attention(p, f"{path}cross_attention.", h, source, source_mask, HEADS)),
        ("feed_forward", lambda h: feed_forward(p, f"{path}feed_forward.", h, activation)),
    )
    for name, branch in branches:
        if pre:
            x = x + branch(norm(p, f"{path}{name}_norm.", x))
        else:
            x = norm(p, f"{path}{name}_norm.", x + branch(x))
    return x


def torch_decoder_layer(p, path, x, source, lengths, source_lengths, pre, activation):
    """The same by PyTorch's module."""
    module = torch.nn.TransformerDecoderLayer(
        WIDTH, HEADS, INNER, 0.0, ACTIVATIONS[activation], EPSILON, True, norm_first=pre, dtype=torch.float64
    )
    state = {}
    for ours, theirs in (("attention", "self_attn"), ("cross_attention", "multihead_attn")):
        for kind in ("weight", "bias"):
            parts = [p[f"{path}{ours}.{name}.{kind}"] for name in ("query", "key", "value")]
            state[f"{theirs}.in_proj_{kind}"] = torch.cat(parts)
            state[f"{theirs}.out_proj.{kind}"] = p[f"{path}{ours}.output.{kind}"]
    for ours, theirs in (
        ("attention_norm", "norm1"),
        ("cross_attention_norm", "norm2"),
        ("feed_forward_norm", "norm3"),
        ("feed_forward.inner", "linear1"),
        ("feed_forward.outer", "linear2"),
    ):
        state |= {f"{theirs}.{kind}": p[f"{path}{ours}.{kind}"] for kind in ("weight", "bias")}
    masks = {
        "tgt_mask": ~torch.ones(max(lengths), max(lengths), dtype=torch.bool).tril(),
        "tgt_key_padding_mask": ~real_rows(lengths),
        "memory_key_padding_mask": ~real_rows(source_lengths),
    }
    return torch.func.functional_call(module.train(), state, (x, source), masks)


def embed(p, m, side, ids, lengths):
    table = p["embedding.weight" if m["share_all"] else f"{side}.embedding.weight"]
    x = table[pad(ids, lengths)] * (math.sqrt(WIDTH) if m["embedding_scale"] else 1)
    longest = max(lengths)
    learned = m["learned_positions"]
    return x + (p[f"{side}.positions.weight"][:longest] if learned else sinusoidal_positions(longest, WIDTH))


def encode(p, m, source, lengths):
    x = embed(p, m, "encoder", source, lengths)
    mask = attention_mask(lengths, lengths, causal=False)
    for layer in range(LAYERS):
        x = transformer_layer(p, f"encoder.layers.{layer}.", x, mask, HEADS, m["pre"], activation_of(m))
    return norm(p, "encoder.final_norm.", x) if m["final_norm"] else x


def decode(p, m, inputs, lengths, memory, source_lengths):
    """Logits of the packed target inputs."""
    x = embed(p, m, "decoder", inputs, lengths)
    mask = attention_mask(lengths, lengths, causal=True)
    source_mask = attention_mask(lengths, source_lengths, causal=False)
    for layer in range(LAYERS):
        path = f"decoder.layers.{layer}."
        y = decoder_layer(p, path, x, memory, mask, source_mask, m["pre"], activation_of(m))
        twin = torch_decoder_layer(p, path, x, memory, lengths, source_lengths, m["pre"], activation_of(m))
        assert_same(y[real_rows(lengths)], twin[real_rows(lengths)], path)
        x = y
    if m["final_norm"]:
        x = norm(p, "decoder.final_norm.", x)
    table = "embedding.weight" if m["share_all"] else "decoder.embedding.weight"
    return F.linear(x[real_rows(lengths)], p["output.weight" if m["output_matrix"] else table])


def activation_of(m):
    return "gelu" if m["gelu"] else "relu"


# The hypotheses of each sentence in each step, and which of the step before they continue: beams fork, cross and end.
STEPS = (
    ((1, 1, 1), ()),
    ((2, 1, 3), (0, 0, 1, 2, 2, 2)),
    ((2, 1, 2), (1, 1, 2, 5, 3)),
    ((1, 0, 3), (1, 4, 3, 4)),
)


def keep_steps(c, p, memory, source_lengths):
    """Each step anew from the whole prefix of every hypothesis, with nothing kept from the step before."""
    prefixes = []
    for step, (hypotheses, parents) in enumerate(STEPS):
        tokens = c.keep(f"step_inputs.{step}", c.integers(VOCABULARY, sum(hypotheses)))
        c.keep(f"step_hypotheses.{step}", hypotheses)
        c.keep(f"step_parents.{step}", torch.tensor(parents, dtype=torch.int64))
        before = [prefixes[parent] for parent in parents] if step else [[]] * len(tokens)
        prefixes = [prefix + [token] for prefix, token in zip(before, tokens.tolist())]
        sentences = [sentence for sentence, count in enumerate(hypotheses) for _ in range(count)]
        lengths = [step + 1] * len(tokens)
        with torch.no_grad():
            logits = decode(p, c.settings, torch.tensor(prefixes).flatten(), lengths, memory[sentences],
                            [source_lengths[sentence] for sentence in sentences])
        c.keep(f"step_logits.{step}", logits[step :: step + 1])


def make_translation():
    for name, pre, activation, sharing in (
        ("pre", True, "gelu", "all"),
        ("post", False, "relu", "output"),
        ("untied", False, "gelu", "none"),
    ):
        plain = sharing != "none"
        c = Case("translation", f"model/{name}", layers=LAYERS, width=WIDTH, feed_forward=INNER, heads=HEADS,
                 source_vocabulary=VOCABULARY if sharing == "all" else SOURCE_VOCABULARY, target_vocabulary=VOCABULARY,
                 longest=LONGEST, pre=pre, final_norm=pre, gelu=activation == "gelu", share_all=sharing == "all",
                 output_matrix=sharing == "none", embedding_scale=plain, learned_positions=not plain, epsilon=EPSILON,
                 label_smoothing=SMOOTHING, steps=len(STEPS))
        p = draw_parameters(c, model_shapes(c.settings))
        source_lengths, lengths = c.keep("source_lengths", [4, 1, 7]).tolist(), c.keep("lengths", [5, 3, 1]).tolist()
        source = c.keep("source", c.integers(int(c.settings["source_vocabulary"]), sum(source_lengths)))
        inputs = c.keep("inputs", c.integers(VOCABULARY, sum(lengths)))
        targets = c.keep("targets", c.integers(VOCABULARY, sum(lengths)))
        memory = encode(p, c.settings, source, source_lengths)
        logits = c.keep("logits", decode(p, c.settings, inputs, lengths, memory, source_lengths))
        loss = c.keep("loss", F.cross_entropy(logits, targets, label_smoothing=SMOOTHING))
        loss.backward()
        keep_gradients(c, p)
        keep_steps(c, p, memory, source_lengths)


if __name__ == "__main__":
    make_files(make_translation)
