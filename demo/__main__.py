# SPDX-License-Identifier: Apache-2.0
"""The demo: a trained super-resolution network on photographs, and PointPillars' backbone on a
LiDAR turn, in float (ONNX Runtime) and in int8 (Quernel), plain and smoothed. Prints times and
errors, writes pictures."""

import argparse
import pathlib
import random
import sys
import time

import numpy as np
import quernel

from . import assets, backbone, photos, pictures, superres
from .float_net import FloatNet, Tail
from .int8_net import Int8Net, calibrate

ALPHA = 0.5  # of smoothing: SmoothQuant's own choice, not searched
KINDS = ("float", "plain", "smoothed")


def say(text):
    print(text, file=sys.stderr, flush=True)


def paired_times(contenders, rounds):
    """Milliseconds of each contender, [rounds]: once per round, in random order, after a call that
    does not count."""
    for run in contenders.values():
        run()
    times = {name: [] for name in contenders}
    order = list(contenders)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            start = time.perf_counter()
            contenders[name]()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: np.array(values) for name, values in times.items()}


def interval(values):
    """Median with the 95 % interval of order statistics, as text."""
    ordered, half = np.sort(values), 0.98 * np.sqrt(len(values))
    lo, hi = (
        int(max(0, np.floor(len(values) / 2 - half))),
        int(min(len(values) - 1, np.ceil(len(values) / 2 + half))),
    )
    return f"{np.median(values):.2f} [{ordered[lo]:.2f}, {ordered[hi]:.2f}]"


def print_totals(times, what):
    print(
        f"\n{what}: whole run, ms, median [95 % interval] of {len(times['float'])} rounds in "
        "random order"
    )
    for name, values in times.items():
        ratio = (
            "" if name == "float" else f"   {interval(times['float'] / values)} times float's speed"
        )
        print(f"  {name:9} {interval(values):>28}{ratio}")


def superres_part(out, threads, rounds):
    network, size = superres.load(), (photos.SIZE, photos.SIZE)
    say(
        f"{network.name}: float network by ONNX Runtime, calibration on {len(photos.CALIBRATION)} "
        "other photographs …"
    )
    float_net, tail = FloatNet(network, *size, threads), Tail(network, *size, threads)
    stats = calibrate(float_net, [crop.load() for crop in photos.CALIBRATION])
    nets = {
        name: Int8Net(network, stats, a, threads)
        for name, a in (("plain", None), ("smoothed", ALPHA))
    }
    x = photos.TEST[0].load()
    say("times …")
    runs = {"float": lambda: float_net(x)} | {
        name: (lambda net=net: tail(x, net(x))) for name, net in nets.items()
    }
    times = paired_times(runs, rounds)
    layer_times = {"float": float_net.layer_times_ms(x, 3)[0]} | {
        n: net.layer_times_ms(x) for n, net in nets.items()
    }
    print(
        f"(a) {network.name}, {size[0]}x{size[1]}, {sum(network.macs(*size)) / 1e6:.0f} MMAC, "
        f"{threads} thread(s), alpha {ALPHA}, kernels: " + ", ".join(nets["smoothed"].kernels())
    )
    print("layer      MMAC     float ms  plain ms  smoothed ms")
    for index, (layer, macs) in enumerate(zip(network.layers, network.macs(*size))):
        print(
            f"{layer.name:8} {macs / 1e6:7.1f}   {layer_times['float'][index]:8.2f}  "
            f"{layer_times['plain'][index]:8.2f}"
            f"  {layer_times['smoothed'][index]:10.2f}"
        )
    print_totals(times, "network with its float tail (pixel shuffle, resize, sum)")
    return compare_pictures(out, float_net, nets, tail)


def compare_pictures(out, float_net, nets, tail):
    print("\nPSNR against float, dB (peak 1)      plain  smoothed")
    files, gains = [], []
    for crop in photos.TEST:
        x = crop.load()
        shown = {"float": photos.to_picture(float_net(x))}
        shown |= {name: photos.to_picture(tail(x, net(x))) for name, net in nets.items()}
        psnr = [pictures.psnr(shown["float"], shown[name]) for name in KINDS[1:]]
        gains.append(psnr[1] - psnr[0])
        print(f"  {crop.name:32} {psnr[0]:7.2f}  {psnr[1]:8.2f}")
        files.append(
            pictures.save_comparison(
                out / f"superres-{crop.name}.png",
                *(shown[k] for k in KINDS),
                f"{crop.name}: {float_net.network.name}, twice the size",
            )
        )
    print(
        f"  smoothing gains {np.mean(gains):.2f} dB on average ({min(gains):.2f} to "
        f"{max(gains):.2f})"
    )
    return files


def lidar_part(threads, rounds):
    say("a LiDAR turn: grid and drawn weights …")
    scene = backbone.load(progress=lambda name: say(f"  drawing {name}"))
    network, size = scene.network, scene.test.shape[2:]
    float_net = FloatNet(network, *size, threads)
    stats = calibrate(float_net, [scene.calibration])
    nets = {
        name: Int8Net(network, stats, a, threads)
        for name, a in (("plain", None), ("smoothed", ALPHA))
    }
    reference = float_net.activations(scene.test)[1]
    found = {name: net.activations(scene.test) for name, net in nets.items()}
    say("times …")
    times = paired_times(
        {"float": lambda: float_net(scene.test)}
        | {name: (lambda net=net: net(scene.test)) for name, net in nets.items()},
        rounds,
    )
    layer_times = {"float": float_net.layer_times_ms(scene.test, 3)[0]}
    layer_times |= {name: net.layer_times_ms(scene.test, 3) for name, net in nets.items()}
    print(
        f"\n(b) {network.name} on a real LiDAR turn ({100 * scene.occupancy:.1f} % of the pillars "
        "occupied); the WEIGHTS ARE "
        "DRAWN like trained ones, not trained;\ncalibrated on the same turn mirrored and turned, "
        "since there is but one"
    )
    print("                float    ------ plain ------------    ----- smoothed ----------")
    print("layer              ms        ms        L1  SQNR dB        ms        L1  SQNR dB")
    for index, layer in enumerate(network.layers):
        row = f"{layer.name:13} {layer_times['float'][index]:7.2f}"
        for name in KINDS[1:]:
            row += (
                f"   {layer_times[name][index]:7.2f}  "
                f"{pictures.l1(reference[index], found[name][index]):8.5f}"
                f"  {pictures.sqnr(reference[index], found[name][index]):7.1f}"
            )
        print(row)
    print_totals(times, "backbone_2d, f32 NCHW in, f32 NCHW concat out")


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default=pathlib.Path("build/demo"),
        help="folder of the pictures",
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--part", choices=("all", "superres", "lidar"), default="all")
    options = parser.parse_args()
    random.seed(1)
    files = []
    try:
        print(f"quernel {quernel.version()}")
        if options.part != "lidar":
            files = superres_part(options.out, options.threads, options.rounds)
        if options.part != "superres":
            lidar_part(options.threads, max(3, options.rounds // 3))
    except assets.MissingAsset as problem:
        say(f"quernel: demo: {problem}")
        return 3
    print("\nfiles: " + (", ".join(map(str, files)) if files else "none"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
