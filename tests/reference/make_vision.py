#!/usr/bin/env python3
"""Makes vision.safetensors: vision Transformers, their loss and every gradient, by PyTorch.

    python3 make_vision.py            rewrites vision.safetensors
    python3 make_vision.py --check    fails when that would change it by more than rounding

Names, sizes and conventions are those of make_reference.py. Patches are embedded by a convolution of whole images. With
batch norm every norm is one, over all rows of the batch, and one more stands between the maps of each feed-forward
network, before the activation.
"""
import torch
import torch.nn.functional as F

from make_reference import (
    ACTIVATIONS, EPSILON, HEADS, INNER, SMOOTHING, WIDTH, Case, draw_parameters, keep_gradients,
    layer_shapes, linear, make_files, multi_head_attention, norm, norm_shapes, sinusoidal_positions, transformer_layer,
)

LAYERS, CLASSES, IMAGES, CHANNELS, HEIGHT, SIDE, PATCH = 2, 5, 4, 3, 6, 4, 2
PATCHES, PATCH_FEATURES = HEIGHT * SIDE // PATCH**2, CHANNELS * PATCH**2


def model_shapes(m):
    yield "patch_embedding.weight", (WIDTH, PATCH_FEATURES)
    yield "patch_embedding.bias", (WIDTH,)
    if m["class_token"]:
        yield "class_token", (WIDTH,)
    if m["learned_positions"]:
        yield "positions.weight", (PATCHES + m["class_token"], WIDTH)
    for layer in range(LAYERS):
        yield from layer_shapes(WIDTH, INNER, f"layers.{layer}.")
        if m["batch_norm"]:
            yield from norm_shapes(INNER, f"layers.{layer}.feed_forward.inner_norm.")
    if m["final_norm"]:
        yield from norm_shapes(WIDTH, "final_norm.")
    yield "output.weight", (CLASSES, WIDTH)
    yield "output.bias", (CLASSES,)


def batch_norm(p, path, x):
    flat = x.flatten(0, 1)
    y = F.batch_norm(flat, None, None, p[f"{path}weight"], p[f"{path}bias"], training=True, eps=EPSILON)
    return y.unflatten(0, x.shape[:2])


def batch_norm_layer(p, path, x, mask, activation):
    n = batch_norm(p, f"{path}attention_norm.", x)
    x = x + multi_head_attention(p, f"{path}attention.", n, n, mask, HEADS)
    h = linear(p, f"{path}feed_forward.inner.", batch_norm(p, f"{path}feed_forward_norm.", x))
    h = ACTIVATIONS[activation](batch_norm(p, f"{path}feed_forward.inner_norm.", h))
    return x + linear(p, f"{path}feed_forward.outer.", h)


def vision_transformer(p, m, images):
    """Logits of images[images, channels, height, width]."""
    kernel = p["patch_embedding.weight"].unflatten(1, (CHANNELS, PATCH, PATCH))
    x = F.conv2d(images, kernel, p["patch_embedding.bias"], stride=PATCH).flatten(2).transpose(1, 2)
    if m["class_token"]:
        x = torch.cat([p["class_token"].expand(IMAGES, 1, WIDTH), x], 1)
    rows = x.shape[1]
    x = x + (p["positions.weight"] if m["learned_positions"] else sinusoidal_positions(rows, WIDTH))
    mask = torch.ones(IMAGES, rows, rows, dtype=torch.bool)
    activation = "gelu" if m["gelu"] else "relu"
    for layer in range(LAYERS):
        if m["batch_norm"]:
            x = batch_norm_layer(p, f"layers.{layer}.", x, mask, activation)
        else:
            x = transformer_layer(p, f"layers.{layer}.", x, mask, HEADS, m["pre"], activation)
    if m["final_norm"]:
        x = (batch_norm if m["batch_norm"] else norm)(p, "final_norm.", x)
    return linear(p, "output.", x[:, 0] if m["class_token"] else x.mean(1))


def make_vision():
    for name, pre, activation, class_token, learned, batch in (
        ("class_token", True, "gelu", True, True, False),
        ("mean", False, "relu", False, False, False),
        ("batch_norm", True, "gelu", True, True, True),
    ):
        c = Case("vision", f"model/{name}", layers=LAYERS, width=WIDTH, feed_forward=INNER, heads=HEADS, classes=CLASSES,
                 patches=PATCHES, patch_features=PATCH_FEATURES, pre=pre, final_norm=pre, gelu=activation == "gelu",
                 class_token=class_token, learned_positions=learned, batch_norm=batch, epsilon=EPSILON,
                 label_smoothing=SMOOTHING)
        p = draw_parameters(c, model_shapes(c.settings))
        images = c.normal(IMAGES, CHANNELS, HEIGHT, SIDE)
        c.keep("patches", F.unfold(images, PATCH, stride=PATCH).transpose(1, 2).flatten(0, 1))
        c.keep("lengths", [PATCHES] * IMAGES)
        targets = c.keep("targets", c.integers(CLASSES, IMAGES))
        logits = c.keep("logits", vision_transformer(p, c.settings, images))
        loss = c.keep("loss", F.cross_entropy(logits, targets, label_smoothing=SMOOTHING))
        loss.backward()
        for path, parameter in p.items():
            if batch and parameter.grad.abs().max() < 1e-14:  # a batch norm behind it takes the shift away again
                assert path.endswith(".bias"), path
                parameter.grad.zero_()
        keep_gradients(c, p)


if __name__ == "__main__":
    make_files(make_vision)
