#!/usr/bin/env python3
"""PyTorch baseline: the time of the Wan VAE's decoder or encoder for one latent frame (four frames of video).

    venv/bin/python bench/torch_vae.py decode --height 16 --width 28 --dtype f32 --runs 5

Weights are random; widths are those of the released 480p model (96, 192, 384, 384 channels, two residual blocks a level and three
in the decoder). As the public pipeline streams: a latent frame, or four pictures, at a time, each causal convolution keeping its last
two input frames. Height and width are the latent's. Prints one JSON line.
"""
import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F

p = argparse.ArgumentParser()
p.add_argument("side", choices=["decode", "encode"])
p.add_argument("--height", type=int, default=16)
p.add_argument("--width", type=int, default=28)
p.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
p.add_argument("--device", default="cpu")
p.add_argument("--runs", type=int, default=5)
p.add_argument("--threads", type=int, default=0)
a = p.parse_args()
if a.threads:
    torch.set_num_threads(a.threads)
dtype = torch.bfloat16 if a.dtype == "bf16" else torch.float32
generator = torch.Generator().manual_seed(0)
LATENT, LEVELS = 16, [96, 192, 384, 384]


def weights(out, *rest):
    fan_in = torch.Size(rest).numel()
    return (torch.randn(out, *rest, generator=generator) * fan_in**-0.5).to(a.device, dtype), torch.zeros(out, device=a.device, dtype=dtype)


class Causal:
    """A convolution over three frames, which keeps the last two that it saw; size 1 in space for those of resampling."""

    def __init__(self, into, out, size=3, stride=1):
        self.w, self.b = weights(out, into, 3, size, size)
        self.pad, self.stride, self.kept = size // 2, stride, 3 - stride
        self.cache = None

    def __call__(self, x):
        if self.cache is None:
            self.cache = torch.zeros_like(x[:, :, :1]).repeat(1, 1, self.kept, 1, 1)
        joined = torch.cat([self.cache, x], 2)
        self.cache = joined[:, :, -self.kept :].clone()
        return F.conv3d(joined, self.w, self.b, stride=(self.stride, 1, 1), padding=(0, self.pad, self.pad))


class Norm:
    def __init__(self, channels):
        self.gamma = torch.ones(channels, 1, 1, 1, device=a.device, dtype=dtype)

    def __call__(self, x):
        return F.normalize(x, dim=1) * x.shape[1] ** 0.5 * self.gamma


class Residual:
    def __init__(self, into, out):
        self.norm1, self.conv1, self.norm2, self.conv2 = Norm(into), Causal(into, out), Norm(out), Causal(out, out)
        self.shortcut = weights(out, into, 1, 1, 1) if into != out else None

    def __call__(self, x):
        y = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        return y + (F.conv3d(x, *self.shortcut) if self.shortcut else x)


class Attention:
    def __init__(self, channels):
        self.norm, self.qkv, self.out = Norm(channels), weights(3 * channels, channels, 1, 1, 1), weights(channels, channels, 1, 1, 1)

    def __call__(self, x):
        q, k, v = F.conv3d(self.norm(x), *self.qkv).permute(0, 2, 3, 4, 1).flatten(2, 3).chunk(3, -1)
        y = F.scaled_dot_product_attention(q, k, v).unflatten(2, x.shape[3:]).permute(0, 4, 1, 2, 3)
        return x + F.conv3d(y, *self.out)


def frames_as_batch(x, f):
    y = f(x.transpose(1, 2).flatten(0, 1))
    return y.unflatten(0, (1, -1)).transpose(1, 2)


class Up:
    def __init__(self, channels, in_time):
        self.time = Causal(channels, 2 * channels, 1) if in_time else None
        self.w, self.b = weights(channels // 2, channels, 3, 3)

    def __call__(self, x):
        if self.time:
            x = self.time(x).unflatten(1, (2, -1)).permute(0, 2, 3, 1, 4, 5).flatten(2, 3)
        return frames_as_batch(x, lambda z: F.conv2d(F.interpolate(z, scale_factor=2, mode="nearest-exact"), self.w, self.b, padding=1))


class Down:
    def __init__(self, channels, in_time):
        self.w, self.b = weights(channels, channels, 3, 3)
        self.time = Causal(channels, channels, 1, stride=2) if in_time else None

    def __call__(self, x):
        x = frames_as_batch(x, lambda z: F.conv2d(F.pad(z, (0, 1, 0, 1)), self.w, self.b, stride=2))
        return self.time(x) if self.time else x


def middle(channels):
    return [Residual(channels, channels), Attention(channels), Residual(channels, channels)]


def decoder():
    steps = [lambda x, w=weights(LATENT, LATENT, 1, 1, 1): F.conv3d(x, *w), Causal(LATENT, LEVELS[-1])] + middle(LEVELS[-1])
    into = LEVELS[-1]
    for i, out in enumerate(reversed(LEVELS)):
        for j in range(3):
            steps.append(Residual(into if j == 0 else out, out))
        if i < 3:
            steps.append(Up(out, in_time=i < 2))
        into = out // 2
    return steps + [Norm(LEVELS[0]), F.silu, Causal(LEVELS[0], 3)]


def encoder():
    steps = [Causal(3, LEVELS[0])]
    into = LEVELS[0]
    for i, out in enumerate(LEVELS):
        for j in range(2):
            steps.append(Residual(into if j == 0 else out, out))
        if i < 3:
            steps.append(Down(out, in_time=i > 0))
        into = out
    steps += middle(into) + [Norm(into), F.silu, Causal(into, 2 * LATENT)]
    return steps + [lambda x, w=weights(2 * LATENT, 2 * LATENT, 1, 1, 1): F.conv3d(x, *w)]


steps = decoder() if a.side == "decode" else encoder()
shape = (1, LATENT, 1, a.height, a.width) if a.side == "decode" else (1, 3, 4, 8 * a.height, 8 * a.width)
x0 = torch.randn(*shape, generator=generator).to(a.device, dtype)
sync = torch.cuda.synchronize if a.device == "cuda" else (lambda: None)


@torch.no_grad()
def run():
    x = x0
    for step in steps:
        x = step(x)
    sync()
    return x


out = run()
times = []
for _ in range(a.runs):
    start = time.perf_counter()
    run()
    times.append(time.perf_counter() - start)
print(
    json.dumps(
        dict(
            what=f"wan vae {a.side}",
            torch=torch.__version__,
            dtype=a.dtype,
            device=a.device,
            threads=torch.get_num_threads(),
            out=list(out.shape),
            median_s=round(statistics.median(times), 5),
            min_s=round(min(times), 5),
        )
    )
)
