# SPDX-License-Identifier: Apache-2.0
"""The demo: real networks in int8 beside float, all of them run by ONNX Runtime, without and with
Quernel: PP-OCRv4 reads rendered pages, a super-resolution network enlarges photographs, plain and
smoothed, and PointPillars' backbone sees a LiDAR turn. Prints times and errors, writes pictures."""

import argparse
import pathlib
import random
import sys

import numpy as np
import quernel

from . import (
    assets,
    backbone,
    contenders,
    ocr,
    onnx_graph,
    pages,
    photos,
    pictures,
    superres,
    times,
)
from .contenders import FLOAT, QUERNEL, STOCK

PLAIN = "plain"
CALIBRATION_PAGES, TEST_PAGES = range(8), range(100, 108)


def say(text):
    print(text, file=sys.stderr, flush=True)


def runs(sessions, x):
    """Contender → a call that runs it once."""
    return {name: (lambda s=s: onnx_graph.run(s, x)) for name, s in sessions.items()}


def reading_part(out, threads, rounds):
    say("PP-OCRv4: calibration on rendered pages …")
    sheets = {
        "det": [pages.for_detection(pages.page(seed)) for seed in CALIBRATION_PAGES],
        "rec": ocr.lines([pages.page(seed) for seed in CALIBRATION_PAGES]),
    }
    nets, pieces = {}, []
    for part, shown in sheets.items():
        int8, _ = contenders.quantized(ocr.file(part), shown, PLAIN)
        nets[part] = contenders.sessions(ocr.file(part), int8, threads)
        pieces.append(f"{part}: {contenders.told(int8)}")
    tests, alphabet = [pages.page(seed) for seed in TEST_PAGES], ocr.characters()
    print(f"(a) PP-OCRv4, {len(tests)} rendered pages, {threads} thread(s); " + "; ".join(pieces))
    for name in (FLOAT, STOCK, QUERNEL):
        detect, read = (
            (lambda x, s=nets[part][name]: onnx_graph.run(s, x)) for part in ("det", "rec")
        )
        right = ocr.share_right(tests, detect, read, alphabet)
        print(f"  {name:24} {100 * right:.2f} % of the characters right")
    for part, what in (("det", "detection, 320x320"), ("rec", "reading of one line")):
        times.tell(times.paired(runs(nets[part], sheets[part][0]), rounds), what)
    return []


def superres_part(out, threads, rounds):
    model, shown = superres.model(photos.SIZE), [crop.load() for crop in photos.CALIBRATION]
    say(f"{superres.NAME}: calibration on {len(shown)} other photographs …")
    int8 = {
        name: contenders.quantized(model, shown, policy)[0]
        for name, policy in ((PLAIN, PLAIN), ("smoothed", contenders.SMOOTHED))
    }
    nets = contenders.sessions(model, int8["smoothed"], threads)
    print(
        f"\n(b) {superres.NAME}, {photos.SIZE}x{photos.SIZE}, {threads} thread(s): "
        + contenders.told(int8["smoothed"])
    )
    say("times …")
    times.tell(times.paired(runs(nets, photos.TEST[0].load()), rounds), "network")
    plain = quernel.ort.session(int8[PLAIN], threads)
    return compare_pictures(out, {FLOAT: nets[FLOAT], PLAIN: plain, "smoothed": nets[QUERNEL]})


def compare_pictures(out, nets):
    print("\nPSNR against float, dB (peak 1)      plain  smoothed")
    files, gains = [], []
    for crop in photos.TEST:
        x = crop.load()
        shown = [photos.to_picture(onnx_graph.run(net, x)[0]) for net in nets.values()]
        psnr = [pictures.psnr(shown[0], other) for other in shown[1:]]
        gains.append(psnr[1] - psnr[0])
        print(f"  {crop.name:32} {psnr[0]:7.2f}  {psnr[1]:8.2f}")
        title = f"{crop.name}: {superres.NAME}, twice the size"
        files.append(pictures.save_comparison(out / f"superres-{crop.name}.png", *shown, title))
    print(
        f"  smoothing gains {np.mean(gains):.2f} dB on average ({min(gains):.2f} to "
        f"{max(gains):.2f})"
    )
    return files


def lidar_part(out, threads, rounds):
    say("a LiDAR turn: grid and drawn weights …")
    scene = backbone.load(progress=lambda name: say(f"  drawing {name}"))
    int8 = {
        name: contenders.quantized(scene.model, [scene.calibration], policy)[0]
        for name, policy in ((PLAIN, PLAIN), ("smoothed", contenders.SMOOTHED))
    }
    nets = contenders.sessions(scene.model, int8["smoothed"], threads)
    print(
        f"\n(c) {backbone.NAME} on a real LiDAR turn ({100 * scene.occupancy:.1f} % of the pillars "
        "occupied); the WEIGHTS ARE "
        "DRAWN like trained ones, not trained;\ncalibrated on the same turn mirrored and turned, "
        "since there is but one; " + contenders.told(int8["smoothed"])
    )
    reference = onnx_graph.run(nets[FLOAT], scene.test)[0]
    plain = quernel.ort.session(int8[PLAIN], threads)
    for name, net in ((PLAIN, plain), ("smoothed", nets[QUERNEL])):
        made = onnx_graph.run(net, scene.test)[0]
        print(
            f"  {name:9} SQNR {pictures.sqnr(reference, made):5.1f} dB, L1 "
            f"{pictures.l1(reference, made):.5f}"
        )
    say("times …")
    times.tell(times.paired(runs(nets, scene.test), max(3, rounds // 3)), "backbone_2d")
    return []


PARTS = {"reading": reading_part, "superres": superres_part, "lidar": lidar_part}


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
    parser.add_argument("--part", choices=("all", *PARTS), default="all")
    options = parser.parse_args()
    random.seed(1)
    files = []
    try:
        print(f"quernel {quernel.version()}")
        for name, part in PARTS.items():
            if options.part in ("all", name):
                files += part(options.out, options.threads, options.rounds)
    except assets.MissingAsset as problem:
        say(f"quernel: demo: {problem}")
        return 3
    print("\nfiles: " + (", ".join(map(str, files)) if files else "none"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
