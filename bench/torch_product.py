#!/usr/bin/env python3
"""The rate of one square matrix product in PyTorch on the CPU: one JSON line.

    torch_product.py --size 2240 --dtype bf16 --runs 5 --threads 2
"""
import argparse
import json
import statistics
import time

import torch

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--size", type=int, default=2240)
p.add_argument("--dtype", choices=["f32", "bf16"], default="bf16")
p.add_argument("--runs", type=int, default=5)
p.add_argument("--threads", type=int, default=2)
a = p.parse_args()
torch.set_num_threads(a.threads)
dtype = torch.bfloat16 if a.dtype == "bf16" else torch.float32
left, right = (torch.randn(a.size, a.size).to(dtype) for _ in range(2))
left @ right
seconds = []
for _ in range(a.runs):
    start = time.perf_counter()
    left @ right
    seconds.append(time.perf_counter() - start)
median = statistics.median(seconds)
print(json.dumps({"what": "torch product", "torch": torch.__version__, "dtype": a.dtype, "size": a.size,
                  "median_s": median, "gflops": 2 * a.size**3 / median / 1e9}))
