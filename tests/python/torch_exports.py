#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A quantized PyTorch model behind PyTorch's compilers, exporters and in other processes: the same
bits everywhere."""

import copy
import gc
import io
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import front

try:
    import quernel.torch as qt
    import torch
    from torch import nn
    from torch.utils import data as torch_data
except ImportError as problem:
    print(f"skipped: quernel.torch: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

from quernel.torch import operator

torch.manual_seed(3)


class Net(nn.Module):
    """A layer of each kind; slopes, a clamp without an upper bound, and int8 between layers, one of
    them over a concatenation."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.BatchNorm2d(8), nn.PReLU(8))
        self.left = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU6())
        self.right = nn.Conv2d(8, 6, 1)
        self.up = nn.ConvTranspose2d(14, 4, 2, 2)
        self.head = nn.Linear(4, 5)

    def forward(self, x):
        x = self.first(x)
        y = self.up(torch.cat([self.left(x), self.right(x)], 1)).clamp(min=0)
        return self.head(y.flatten(2).transpose(1, 2))


def images(*shape):
    return torch.rand(*(shape or (2, 4, 8, 8)))


def quantized():
    model = Net().eval()
    report = qt.quantize(model, [images() for _ in range(4)], policies=("plain", "smoothed by 0.5"))
    assert [row.chained for row in report.rows] == [True] * 3 + [False] * 2
    return model


def exported(model):
    """By way of a file."""
    batch, lines = torch.export.Dim("batch", max=64), torch.export.Dim("lines", min=4, max=64)
    made = torch.export.export(model, (images(),), dynamic_shapes=({0: batch, 2: lines},))
    file = io.BytesIO()
    torch.export.save(made, file)
    file.seek(0)
    return torch.export.load(file).module()


def traced(model):
    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(model, images()), file)
    file.seek(0)
    return torch.jit.load(file)


MODEL = quantized()


class Exports(unittest.TestCase):
    def same(self, made, *shapes):
        for shape in shapes or ((2, 4, 8, 8),):
            x = images(*shape)
            self.assertTrue(torch.equal(made(x), MODEL(x)), shape)

    def test_the_operator_keeps_pytorch_s_contract(self):
        codes = MODEL.first(images())
        self.assertEqual((codes.dtype, codes.shape), (torch.uint8, (2, 8, 10, 10)))
        last = images().to(memory_format=torch.channels_last)
        for x, layer in (
            (images(), MODEL.first[0]),
            (last, MODEL.first[0]),
            (images().requires_grad_(), MODEL.first[0]),
            (codes, MODEL.left[0]),
            (images(2, 14, 8, 8), MODEL.up),
            (last, qt.QuantConv2d(nn.Conv2d(4, 6, 3))),
            (images(3, 7, 4), MODEL.head),
            (images(0, 4, 8, 8), MODEL.first[0]),
        ):
            with self.subTest(layer, shape=tuple(x.shape)):
                given = x, *layer.tensors, *layer.use
                torch.library.opcheck(torch.ops.quernel.layer.default, given)

    def test_compiled_as_one_graph(self):
        self.same(
            torch.compile(MODEL, fullgraph=True, backend="aot_eager"), (2, 4, 8, 8), (1, 4, 6, 8)
        )

    def test_exported_and_loaded(self):
        self.same(exported(MODEL), (2, 4, 8, 8), (3, 4, 10, 8))

    def test_traced_and_loaded(self):
        self.same(traced(MODEL), (2, 4, 8, 8), (3, 4, 10, 8))

    def test_script_is_refused_by_name(self):
        text = "^QuantConv2d: torch.jit.script: .* torch.jit.trace, torch.export or torch.compile$"
        for model in (MODEL, MODEL.first[0]):
            with self.assertRaisesRegex(TypeError, text):
                torch.jit.script(model)

    def test_loaded_by_another_process(self):
        with tempfile.TemporaryDirectory() as name:
            folder, x = pathlib.Path(name), images()
            torch.export.save(torch.export.export(MODEL, (x,)), folder / "exported.pt2")
            torch.jit.save(torch.jit.trace(MODEL, x), folder / "traced.pt")
            torch.save((x, MODEL(x)), folder / "wanted.pt")
            program = """if True:
                import sys, torch, quernel.torch
                x, wanted = torch.load("wanted.pt")
                exported = torch.export.load("exported.pt2").module()
                for made in (exported, torch.jit.load("traced.pt")):
                    assert torch.equal(made(x), wanted)"""
            child = [sys.executable, "-c", program]
            done = subprocess.run(child, cwd=folder, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_shapes_without_data(self):
        meta = copy.deepcopy(MODEL).to("meta")
        self.assertEqual(meta(images(3, 4, 6, 8).to("meta")).shape, (3, 192, 5))


class Packing(unittest.TestCase):
    """Weights are packed once, again when they were written to, and go with the model."""

    def packed(self, *calls):
        with mock.patch.object(operator, "_pack", wraps=operator._pack) as made:
            for call in calls:
                call()
        return made.call_count

    def test_once(self):
        model, x = copy.deepcopy(MODEL), images()
        self.assertEqual(self.packed(*[lambda: model(x)] * 3), 5)
        loaded = exported(model)
        self.assertEqual(self.packed(*[lambda: loaded(x)] * 3), 5)

    def test_again_when_written_to(self):
        layer, x = qt.QuantLinear(nn.Linear(8, 3, bias=False)), images(5, 8)
        before = layer(x)
        layer.weight.mul_(2)
        torch.testing.assert_close(layer(x), 2 * before)

    def test_other_sizes_keep_what_was_packed_with(self):
        layer, x = qt.QuantLinear(nn.Linear(8, 3)), images(5, 8)
        bias = layer.bias.clone()
        given = [layer.weight, bias, *layer.tensors[2:], *layer.use]
        first = torch.ops.quernel.layer(x, *given)
        bias.zero_()  # as a compiled program that uses its memory again
        self.assertTrue(torch.equal(layer(x[:2]), first[:2]))

    def test_until_the_weights_are_gone(self):
        gc.collect()
        before = len(operator._packed)
        model = copy.deepcopy(MODEL)
        model(images())
        self.assertEqual(len(operator._packed), before + 5)
        del model
        gc.collect()
        self.assertEqual(len(operator._packed), before)


class Batches(torch_data.Dataset):
    """What a model makes of images, in whoever reads it."""

    def __init__(self, model, x):
        self.model, self.x = model, x

    def __len__(self):
        return len(self.x)

    def __getitem__(self, at):
        with torch.no_grad():
            return self.model(self.x[at : at + 1])[0]


def several_threads(worker=0):
    torch.set_num_threads(3)


@unittest.skipUnless(hasattr(os, "fork"), "no fork here")
class Forked(unittest.TestCase):
    """After its parent has used threads."""

    def setUp(self):
        self.addCleanup(torch.set_num_threads, torch.get_num_threads())
        several_threads()
        self.x = images(6, 4, 40, 40)
        self.wanted = MODEL(self.x)

    def test_workers_of_a_data_loader(self):
        for start in (None, several_threads):
            with self.subTest(start):
                loader = torch_data.DataLoader(
                    Batches(MODEL, self.x),
                    batch_size=2,
                    num_workers=2,
                    multiprocessing_context="fork",
                    worker_init_fn=start,
                    timeout=300,
                )
                self.assertTrue(torch.equal(torch.cat(list(loader)), self.wanted))
        self.assertTrue(torch.equal(MODEL(self.x), self.wanted))

    def child(self, what):
        """Runs Python in a child whose parent used threads, and ends it as a program ends."""
        program = f"""if True:
            import os, sys, torch, quernel.torch as qt
            from quernel import layer as layers
            layer, x = qt.QuantConv2d(torch.nn.Conv2d(8, 8, 3)), torch.rand(2, 8, 40, 40).numpy()
            run = lambda: layer.packed(x, threads=3)  # PyTorch's own threads hinder exits
            wanted = run()
            child = os.fork()
            if child:
                sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            {what}"""
        child = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
        try:
            self.assertEqual(child.wait(timeout=60), 0)
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()

    def test_a_child_exits(self):
        self.child("sys.exit(0)")

    def test_a_child_runs(self):
        self.child("assert (run() == wanted).all()")

    def test_a_child_destroys_its_parents_pool(self):
        self.child("layers._pool.cache_clear()")


if __name__ == "__main__":
    sys.exit(front.main(__name__))
