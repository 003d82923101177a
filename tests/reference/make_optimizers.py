"""Writes optimizers.safetensors: what PyTorch's optimizers do in ten steps, and corner cases of the file format.

Needs torch and safetensors, only to make the file again: python3 tests/reference/make_optimizers.py

For each case "<case>.start", "<case>.gradients" [10, ...] and "<case>.end", in float64. The gradient of step i is
gradients[i], whatever the parameter is, and the rate of step i (from 1) is 0.01 * i. tests/train/optimizer_test.cpp
holds the settings of the cases; they are chosen so that every one of them shows in the result.
"""

import os

import torch
from safetensors.torch import save_file

CASES = {
    "adam": lambda p: torch.optim.Adam(p, betas=(0.8, 0.95), eps=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.3),
    "sgd": lambda p: torch.optim.SGD(p),
    "momentum": lambda p: torch.optim.SGD(p, momentum=0.7),
    "nesterov": lambda p: torch.optim.SGD(p, momentum=0.7, nesterov=True),
    "radam": lambda p: torch.optim.RAdam(p, betas=(0.8, 0.98), eps=0.1),
    "radam_never_rectified": lambda p: torch.optim.RAdam(p, betas=(0.9, 0.6), eps=0.1),
}
SHAPE = (3, 7)
STEPS = 10

torch.manual_seed(1)
tensors = {}
for name, make in CASES.items():
    start = torch.randn(SHAPE, dtype=torch.float64)
    gradients = torch.randn((STEPS, *SHAPE), dtype=torch.float64) * 3
    parameter = torch.nn.Parameter(start.clone())
    optimizer = make([parameter])
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (step + 1)
        parameter.grad = gradients[step].clone()
        optimizer.step()
    tensors[f"{name}.start"] = start
    tensors[f"{name}.gradients"] = gradients
    tensors[f"{name}.end"] = parameter.detach().clone()

# For safetensors_test.cpp: rank 0, no elements, every dtype, a name that JSON must escape.
tensors["format.scalar"] = torch.tensor(0.1, dtype=torch.float64)
tensors["format.empty"] = torch.zeros((0, 3), dtype=torch.float32)
tensors["format.float"] = torch.tensor([[1.5, -2.0, float("inf")]], dtype=torch.float32)
tensors["format.ids"] = torch.tensor([7, -1, 2147483647], dtype=torch.int32)
tensors['format."é"\n'] = torch.tensor([3.0], dtype=torch.float32)

folder = os.path.dirname(os.path.abspath(__file__))
save_file(tensors, os.path.join(folder, "optimizers.safetensors"), metadata={"torch": torch.__version__})
