#!/usr/bin/env python3
"""Makes norms.safetensors: values and gradients of the norms other than layer norm, by PyTorch.

    python3 make_norms.py            rewrites norms.safetensors
    python3 make_norms.py --check    fails when that would change it by more than rounding

Names and conventions are those of make_reference.py. A norm that PyTorch lacks is written out here as published; its
gradients are by autograd.
"""
import torch
import torch.nn.functional as F

from make_reference import Case, make_files


def in_groups(x, groups):
    return x.unflatten(-1, (groups, -1))


def make_norms():
    def case(name, **settings):
        return Case("norms", name, **settings)

    c = case("rms_norm/large_epsilon", groups=1, epsilon=0.1)
    c.differentiate(F.rms_norm(c.input("x", c.normal(6, 7, mean=0.5)), (7,), c.input("weight", c.normal(7)), 0.1))
    c = case("rms_norm/plain", groups=1, epsilon=1e-5)
    c.differentiate(F.rms_norm(c.input("x", c.normal(3, 2, 5, deviation=0.05)), (5,), eps=1e-5))
    c = case("rms_norm/groups", groups=3, epsilon=1e-5)
    x, weight = c.input("x", c.normal(5, 15)), c.input("weight", c.normal(15, mean=1.0))
    c.differentiate(F.rms_norm(in_groups(x, 3), (5,), eps=1e-5).flatten(-2) * weight)

    for name, groups, epsilon, mean in (
        ("large_epsilon", 3, 0.1, 0.5),
        ("one", 1, 1e-5, 0.0),
        ("offset", 2, 1e-5, 100.0),
    ):
        c = case(f"group_norm/{name}", groups=groups, epsilon=epsilon)
        x = c.input("x", torch.round(c.normal(7, 18) * 64) / 64 + mean)
        weight, bias = c.input("weight", c.normal(18, mean=1.0)), c.input("bias", c.normal(18))
        c.differentiate(F.group_norm(x, groups, weight, bias, epsilon))
    c = case("group_norm/plain", groups=3, epsilon=1e-5)
    c.differentiate(F.group_norm(c.input("x", c.normal(4, 9)), 3, eps=1e-5))

    for name, epsilon in {"large_epsilon": 0.1, "published": 1e-5}.items():  # Nguyen & Salazar 2019, equation 4
        c = case(f"scale_norm/{name}", epsilon=epsilon)
        x, g = c.input("x", c.normal(6, 7, mean=0.5)), c.input("g", c.normal(1, mean=2.5))
        c.differentiate(g * x / (x.square().sum(-1, keepdim=True) + epsilon).sqrt())

    for name, deviation in {"bent": 1.0, "steep": 2.0}.items():  # Zhu et al. 2025, equation 3
        c = case(f"dynamic_tanh/{name}")
        x, alpha = c.input("x", c.normal(6, 19, deviation=deviation)), c.input("alpha", torch.tensor([0.625]).double())
        weight, bias = c.input("weight", c.normal(19, mean=1.0)), c.input("bias", c.normal(19))
        c.differentiate(weight * torch.tanh(alpha * x) + bias)

    # The running numbers move from start_* to running_*. The variance of the batch divides by the number of tokens,
    # PyTorch's running variance by one less.
    c = case("batch_norm/training", epsilon=1e-5, momentum=0.1)
    x = c.input("x", c.normal(13, 6, mean=0.5))
    weight, bias = c.input("weight", c.normal(6, mean=1.0)), c.input("bias", c.normal(6))
    running_mean = c.keep("start_mean", c.normal(6)).clone()
    running_variance = c.keep("start_variance", 0.5 + torch.round(c.normal(6).abs() * 64) / 64).clone()
    c.differentiate(F.batch_norm(x, running_mean, running_variance, weight, bias, True, 0.1, 1e-5))
    c.keep("running_mean", running_mean)
    c.keep("running_variance", running_variance)

    c = case("power_norm_v/training", epsilon=1e-5)  # Shen et al. 2020, section 4.1
    x = c.input("x", c.normal(13, 6, mean=0.5))
    weight, bias = c.input("weight", c.normal(6, mean=1.0)), c.input("bias", c.normal(6))
    c.differentiate(weight * x / (x.square().mean(0) + 1e-5).sqrt() + bias)


if __name__ == "__main__":
    make_files(make_norms)
