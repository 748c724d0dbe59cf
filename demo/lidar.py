# SPDX-License-Identifier: Apache-2.0
"""A real LiDAR turn as a detector sees it: raw VLP-16 packets → points → PointPillars' bird's-eye
grid.

The log is one turn of a Velodyne VLP-16, from Debian's mrpt-common (BSD-3). The pillar network in
front of the grid has the structure of PointPillars' (10 features a point, linear layer with a
folded batch norm, ReLU, largest over a pillar's points); its weights are drawn, see draw.py. The
grid has the detector's 432x496 pillars of 0.16 m, but lies around the sensor, since this log is a
full turn where the detector's data set keeps what is ahead; heights are not cut."""

import dataclasses
import gzip
import struct

import numpy as np

from . import assets, draw

PACKAGE, LOG = "mrpt-common", "/test_velodyne_VLP16.rawlog"
COLUMNS, LINES, PILLAR, CHANNELS = 432, 496, 0.16, 64
FEATURES = 10
SEED = 2024

PACKET_BYTES, BLOCK_BYTES, BLOCKS = 1206, 100, 12
BLOCK_FLAG, VLP16 = 0xEEFF, 0x22
RINGS = np.radians([-15, 1, -13, 3, -11, 5, -9, 7, -7, 9, -5, 11, -3, 13, -1, 15])
DISTANCE_UNIT = 0.002  # metres
FIRING, SEQUENCE, BLOCK_TIME = 2.304, 55.296, 110.592  # microseconds


class LogError(Exception):
    """The log is not one this reader knows."""


class _Log:
    """MRPT's serialized objects: a byte 0x80 | length, the class name, a byte for the version, the
    fields, 0x88."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values if len(values) > 1 else values[0]

    def expect_object(self, name, version):
        found = self.take(f"{self.take('B') & 0x7F}s").decode(), self.take("B")
        if found != (name, version):
            raise LogError(
                f"the log holds {found[0]} version {found[1]} where {name} version {version} is "
                "expected"
            )


def read_packets(path):
    """The raw packets of the log's first scan: uint8 [packets, 1206]."""
    try:
        with gzip.open(path) as file:
            log = _Log(file.read())
        log.expect_object("CObservationVelodyneScan", 2)
        log.take("Q")  # time
        log.take(f"{log.take('I')}s")  # name of the sensor
        log.take("2d")  # smallest and largest range
        log.expect_object("CPose3D", 2)
        log.take("7d")  # position, quaternion
        end, count = log.take("BI")
        packets = np.frombuffer(log.data, np.uint8, count * PACKET_BYTES, log.at).reshape(
            count, PACKET_BYTES
        )
    except (OSError, EOFError, struct.error, ValueError) as error:
        raise LogError(f"{path}: {error}") from None
    if end != 0x88 or count == 0 or np.any(packets[:, -1] != VLP16):
        raise LogError(f"{path}: no VLP-16 packets where they are expected")
    return packets


def decode(packets):
    """Points of the returns: float32 [n, 4], x ahead, y left, z up in metres, reflectivity 0…1.
    Each block of a packet holds one azimuth and two sequences of 16 lasers, fired one after another
    while the sensor turns on."""
    blocks = packets[:, : BLOCKS * BLOCK_BYTES].reshape(-1, BLOCK_BYTES)
    heads = np.ascontiguousarray(blocks[:, :4]).view("<u2")
    if np.any(heads[:, 0] != BLOCK_FLAG):
        raise LogError("a block of a packet does not begin with ff ee")
    returns = blocks[:, 4:].reshape(-1, 32, 3)
    distance = np.ascontiguousarray(returns[:, :, :2]).view("<u2")[..., 0] * DISTANCE_UNIT
    azimuth = np.unwrap(np.radians(heads[:, 1] / 100.0))
    steps = np.append(np.diff(azimuth), azimuth[-1] - azimuth[-2])
    shot = np.arange(32)
    moment = (shot // 16 * SEQUENCE + shot % 16 * FIRING) / BLOCK_TIME
    azimuth = azimuth[:, None] + steps[:, None] * moment
    elevation = RINGS[shot % 16]
    flat = distance * np.cos(elevation)
    points = np.stack(
        [
            flat * np.cos(azimuth),
            -flat * np.sin(azimuth),
            distance * np.sin(elevation),
            returns[:, :, 2] / 255.0,
        ],
        axis=-1,
    )
    return points[distance > 0].astype(np.float32)


def load_points(turned=0.0, mirrored=False):
    """The points of the log. Turned by an angle (degrees) or mirrored they make other, equally real
    inputs: the way to calibrate on something else than what is tested."""
    points = decode(read_packets(assets.in_debian_package(PACKAGE, LOG)))
    if mirrored:
        points[:, 1] = -points[:, 1]
    c, s = np.cos(np.radians(turned)), np.sin(np.radians(turned))
    points[:, :2] = points[:, :2] @ np.array([[c, s], [-s, c]], np.float32)
    return points


@dataclasses.dataclass(frozen=True)
class Pillars:
    """Features of the points on the grid, sorted by pillar."""

    features: np.ndarray  # float32 [points, FEATURES]
    starts: np.ndarray  # index of each occupied pillar's first point
    cells: np.ndarray  # its place on the grid: line·COLUMNS + column

    @property
    def occupancy(self):
        return len(self.cells) / (LINES * COLUMNS)


def pillars(points):
    """Sorts points into pillars. Features: x, y, z, reflectivity, offset from the mean of the
    pillar's points (3) and from the pillar's middle (3)."""
    corner = -0.5 * PILLAR * np.array([COLUMNS, LINES], np.float32)
    place = np.floor((points[:, :2] - corner) / PILLAR).astype(np.int64)
    inside = np.all((place >= 0) & (place < (COLUMNS, LINES)), axis=1)
    cell = place[:, 1] * COLUMNS + place[:, 0]
    order = np.flatnonzero(inside)[np.argsort(cell[inside], kind="stable")]
    points, place = points[order], place[order]
    cells, starts, counts = np.unique(cell[order], return_index=True, return_counts=True)
    means = np.add.reduceat(points[:, :3], starts) / counts[:, None]
    middles = np.column_stack([corner + (place + 0.5) * PILLAR, np.zeros(len(points))])
    features = np.column_stack(
        [points, points[:, :3] - np.repeat(means, counts, axis=0), points[:, :3] - middles]
    )
    return Pillars(features.astype(np.float32), starts, cells)


def grid(found, weights, bias):
    """The network's input [1, 64, LINES, COLUMNS]: zero where no point fell."""
    values = np.maximum(found.features @ weights.T + bias, 0)
    canvas = np.zeros((CHANNELS, LINES * COLUMNS), np.float32)
    canvas[:, found.cells] = np.maximum.reduceat(values, found.starts).T
    return canvas.reshape(1, CHANNELS, LINES, COLUMNS)


def draw_pillar_layer(found, seed=SEED):
    """Weights [64, 10] and bias [64] of the pillar network, drawn like trained ones."""
    rng = np.random.default_rng(seed)
    # trained weights undo the features' different units
    spread = found.features.std(axis=0) + 1e-6
    weights = draw.weights(rng, CHANNELS, FEATURES) / spread
    linear = found.features @ weights.T
    factor, bias = draw.norm(rng, linear.mean(axis=0), linear.var(axis=0))
    return weights * factor[:, None], bias


def window_share(occupied, kernel, stride):
    """Share of a convolution's windows (padding kernel // 2) that hold something."""
    padded = np.pad(occupied, kernel // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel))[::stride, ::stride]
    return float(windows.any(axis=(2, 3)).mean())


def main():
    path = assets.in_debian_package(PACKAGE, LOG)
    packets, points = read_packets(path), load_points()
    found = pillars(points)
    x = grid(found, *draw_pillar_layer(found))
    print(
        f"{path}: {len(packets)} packets, {len(points)} returns, {len(found.features)} on the grid"
    )
    occupied = x.any(axis=1)[0]
    print(
        f"grid {x.shape}: {100 * found.occupancy:.1f} % of the pillars hold points; of the 3x3 "
        "windows "
        f"{100 * window_share(occupied, 3, 1):.1f} %, at a stride of 2 "
        f"{100 * window_share(occupied, 3, 2):.1f} %"
    )
    largest = x.max(axis=(0, 2, 3))
    print(
        f"channels' largest values: {np.sort(largest)[[0, 16, 32, 48, 63]].round(2)} (0, 25, 50, "
        "75, 100 %)"
    )


if __name__ == "__main__":
    main()
