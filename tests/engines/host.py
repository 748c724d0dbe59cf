#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The plugin as a guest of ONNX Runtime: what it is registered as, options, threads, shapes,
compiled contexts, memory. What its islands compute is the others' matter; here one run is compared
with another, bit for bit.

QUERNEL_ORT_PLUGIN names the plugin's library. Runs with every host from 1.23.1. Closes with N
passed, N failed, N skipped."""

import ctypes
import gc
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest
from ctypes import c_char_p, c_void_p

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "python")]

import front  # noqa: E402

try:
    import engine
    import numpy as np
    import onnx
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper
except ImportError as problem:
    print(f"skipped: the plugin's host: {problem}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

N = helper.make_node
EP_NAME = "QuernelExecutionProvider"
ERRORS = (*engine.ERRORS, RuntimeError)  # what 1.23 makes of a provider that is not created
ISAS = "ref avx2 avxvnni avx512vnni amxint8 neon".split()


def constants(rng, prefix, c, o):
    """Scales, zero points, weights and bias of a convolution, by name."""
    scale = rng.uniform(0.001, 0.01, o).astype("f4")
    made = {
        "w": rng.integers(-127, 128, (o, c, 3, 3), np.int8),
        "b": rng.integers(-500, 500, o).astype("i4"),
        "ws": scale,
        "wz": np.zeros(o, "i1"),
        "bs": scale * np.float32(0.02),
        "bz": np.zeros(o, "i4"),
        "xs": np.float32(0.02),
        "xz": np.uint8(120),
        "ys": np.float32(0.02),
        "yz": np.uint8(110),
    }
    return [numpy_helper.from_array(np.asarray(v), prefix + k) for k, v in made.items()]


def unit(prefix, x, y):
    """Nodes of codes x -> convolution -> codes y."""
    n = lambda *names: [prefix + name for name in names]
    return [
        N("DequantizeLinear", [x, *n("xs", "xz")], n("xd"), prefix + "dx"),
        N("DequantizeLinear", n("w", "ws", "wz"), n("wd"), prefix + "dw", axis=0),
        N("DequantizeLinear", n("b", "bs", "bz"), n("bd"), prefix + "db", axis=0),
        N("Conv", n("xd", "wd", "bd"), n("yd"), prefix + "conv", pads=[1, 1, 1, 1]),
        N("QuantizeLinear", [*n("yd", "ys", "yz")], [y], prefix + "q"),
    ]


def info(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def made(nodes, inputs, outputs, constants):
    graph = helper.make_graph(nodes, "made", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def codes(shape=(1, 6, 12, 10), channels=16):
    """A model that is one unit: codes in, codes out."""
    rng = np.random.default_rng(5)
    free = [None if isinstance(n, str) else n for n in shape]
    return made(
        unit("", "x", "y"),
        [info("x", TensorProto.UINT8, shape)],
        [info("y", TensorProto.UINT8, [free[0], channels, *free[2:]])],
        constants(rng, "", shape[1], channels),
    )


def two_units(*between):
    """Two units with nodes between them, pd -> s, that are not taken, so that there are two
    islands: by default one that nobody quantizes."""
    rng = np.random.default_rng(6)
    nodes = [
        N("DequantizeLinear", ["p", "1.ys", "1.yz"], ["pd"], "d1"),
        *(between or [N("Sin", ["pd"], ["s"], "sin")]),
        N("QuantizeLinear", ["s", "2.xs", "2.xz"], ["t"], "q2"),
    ]
    shape = ["n", 6, "h", "w"]
    return made(
        [*unit("1.", "x", "p"), *nodes, *unit("2.", "t", "y")],
        [info("x", TensorProto.UINT8, shape)],
        [info("y", TensorProto.UINT8, ["n", 5, "h", "w"])],
        [*constants(rng, "1.", 6, 16), *constants(rng, "2.", 16, 5)],
    )


def draw(*shape):
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, np.uint8)


def session(model, conf=None, **options):
    """Of small models, whose islands would not be worth it: all are claimed."""
    options = {"islands": "all", **options}
    so = engine.options_of(ort.GraphOptimizationLevel.ORT_ENABLE_ALL, int(options.get("pool", 1)))
    options.pop("pool", None)
    so.log_severity_level = int(options.pop("log", engine.QUIET))
    for key, value in (conf or {}).items():
        so.add_session_config_entry(key, str(value))
    so.add_provider_for_devices(engine.devices(), {k: str(v) for k, v in options.items()})
    bytes_of = model if isinstance(model, str) else model.SerializeToString()
    return ort.InferenceSession(bytes_of, so, enable_fallback=0)


def run(made_session, x):
    return made_session.run(None, {"x": x})[0]


class WithFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="quernel-host-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def refuses(self, text, model, *, conf=None, **options):
        """A session is refused with a line that has `text` and says who speaks."""
        with self.assertRaisesRegex(ERRORS, f"(?s)Quernel: .*{text}"):
            session(model, conf, **options)

    def islands(self, model, **options):
        report = self.folder / "islands.json"
        kept = session(model, report=report, **options)
        return kept, json.loads(report.read_text())


class Registration(unittest.TestCase):
    def test_it_is_one_provider_for_the_cpu(self):
        (device,) = engine.devices()
        self.assertEqual(device.ep_name, EP_NAME)
        self.assertEqual(device.ep_vendor, "Quernel")
        self.assertEqual(device.device.type, ort.OrtHardwareDeviceType.CPU)
        self.assertRegex(device.ep_metadata["version"], r"^\d+\.\d+\.\d+$")

    def test_a_second_time_under_its_name_is_an_error_of_the_host(self):
        engine.devices()
        with self.assertRaises(ERRORS):
            ort.register_execution_provider_library(engine.NAME, str(engine.library()))
        run(session(codes()), draw(1, 6, 12, 10))


def told_by(version, newest):
    """What the plugin says to a host that is made here: a table whose first slot is
    CreateStatus."""
    said, text = [], ctypes.create_string_buffer(version.encode())
    create = ctypes.CFUNCTYPE(c_void_p, ctypes.c_int, c_char_p)(
        lambda code, why: said.append((code, why.decode())) or 1
    )
    table = (c_void_p * 1)(ctypes.cast(create, c_void_p))
    get_api = ctypes.CFUNCTYPE(c_void_p, ctypes.c_uint32)(
        lambda asked: ctypes.addressof(table) if asked <= newest else None
    )
    get_version = ctypes.CFUNCTYPE(c_void_p)(lambda: ctypes.addressof(text))
    base = (c_void_p * 2)(*(ctypes.cast(f, c_void_p) for f in (get_api, get_version)))
    made, count = (c_void_p * 1)(), ctypes.c_size_t(7)
    factories = ctypes.CDLL(str(engine.library())).CreateEpFactories
    factories.restype = c_void_p
    status = factories(b"x", base, None, made, ctypes.c_size_t(1), ctypes.byref(count))
    assert (status, count.value, made[0]) == (1, 0, None)
    return said


class OldHosts(unittest.TestCase):
    def test_they_are_told_which_one_is_needed(self):
        for version, newest in (("1.22.1", 22), ("1.23.0", 23)):
            text = f"Quernel: ONNX Runtime {version}: must be 1.23.1 or newer"
            self.assertEqual(told_by(version, newest), [(9, text)])


class Options(WithFolder):
    def test_bad_ones_are_refused_by_name(self):
        for key, value, text in (
            ("threads", 0, "option threads: '0': must be a number of 1 ... 4096"),
            ("threads", "two", "option threads: 'two'"),
            ("threads", "4097", "option threads: '4097'"),
            ("isa", "mmx", "option isa: 'mmx': is no instruction set"),
            ("isa", "neon" if "x86" in os.uname().machine else "avx2", "cannot run here"),
            ("verbose", "yes", "option verbose: 'yes': must be 0 or 1"),
            ("islands", "most", "option islands: 'most': must be best, units or all"),
            ("report", self.folder / "no" / "r.json", "r.json: cannot be written"),
            ("table", self.folder / "no.qtn", "option table: .*no.qtn': cannot be opened"),
            ("table", self.folder, "option table: .*: cannot be read"),
            ("thread", 1, "option thread: unknown; there are threads"),
        ):
            with self.subTest(key=key, value=value):
                self.refuses(text, codes(), **{key: value})

    def test_good_ones_change_no_bit(self):
        x = draw(1, 6, 12, 10)
        wanted = run(session(codes()), x)
        table = self.folder / "empty.qtn"
        table.write_text("")
        for options in (
            {"threads": 2, "pool": 2},
            {"threads": 5, "pool": 2},
            {"threads": 3, "pool": 1},
            {"islands": "units"},
            {"verbose": 1},
            {"table": table},
            {"table": "none"},
        ):
            with self.subTest(**options):
                np.testing.assert_array_equal(run(session(codes(), **options), x), wanted)

    def test_islands_that_lose_are_left_out_by_default(self):
        rng, shape = np.random.default_rng(5), [1, 6, 12, 10]
        model = made(
            [
                N("DequantizeLinear", ["x", "xs", "xz"], ["xd"], "d"),
                N("DequantizeLinear", ["z", "ys", "yz"], ["zd"], "e"),
                N("Add", ["xd", "zd"], ["yd"], "sum"),
                N("QuantizeLinear", ["yd", "ys", "yz"], ["y"], "q"),
            ],
            [info(name, TensorProto.UINT8, shape) for name in "xz"],
            [info("y", TensorProto.UINT8, shape)],
            constants(rng, "", 6, 6),
        )
        for islands, count in (("best", 0), ("all", 1)):
            _, said = self.islands(model, islands=islands)
            self.assertEqual(len(said["islands"]), count)

    def test_every_instruction_set_gives_the_same_bits(self):
        x, results = draw(1, 6, 12, 10), {}
        for isa in ISAS:
            try:
                results[isa] = run(session(codes(), isa=isa), x)
            except ERRORS as problem:
                self.assertIn("cannot run here", str(problem))
        for isa, result in results.items():
            np.testing.assert_array_equal(result, results["ref"], isa)

    def test_the_report_lists_islands_and_reasons(self):
        _, said = self.islands(two_units())
        inside = [set(island["nodes"]) for island in said["islands"]]
        for prefix in ("1.", "2."):
            names = {node.name for node in unit(prefix, "x", "y")}
            self.assertEqual(sum(names <= nodes for nodes in inside), 1)
        refused = {entry["node"]: entry for entry in said["refused"]}
        self.assertEqual(refused["sin"]["op"], "Sin")
        self.assertTrue(all(entry["reason"] for entry in said["refused"]))
        self.assertFalse(set(refused) & set().union(*inside))

    def test_verbose_says_the_same_in_the_log(self):
        program = "import host; host.session(host.two_units(), verbose=1, log=2)"
        said = alone(program).stderr
        self.assertRegex(said, r"Quernel: island of \d nodes, .* multiply-adds: 2\.db \.\.\. 2\.q")
        self.assertRegex(said, r"Quernel: left to others: sin \(Sin\): \w+")

    def test_the_report_is_json_whatever_nodes_are_called(self):
        model = codes()
        model.graph.node[3].name = 'a"b\\c\n\t/é'
        model.graph.node[4].name = ""
        _, said = self.islands(model)
        (island,) = said["islands"]
        self.assertIn('a"b\\c\n\t/é', island["nodes"])
        self.assertIn("y", island["nodes"])  # its output, where a node has no name


class Runs(WithFolder):
    def test_shapes_may_change_with_every_run(self):
        shared = session(two_units())
        shapes = [(n, 6, h, w) for n in (1, 2, 3) for h in (3, 8, 13) for w in (4, 5, 17)]
        first = [run(shared, draw(*shape)) for shape in shapes]  # more than are kept
        for shape, y in reversed(list(zip(shapes, first))):
            self.assertEqual(y.shape, (shape[0], 5, *shape[2:]))
            np.testing.assert_array_equal(run(shared, draw(*shape)), y)
            np.testing.assert_array_equal(run(session(two_units()), draw(*shape)), y)

    def test_a_batch_of_none_gives_none(self):
        shared = session(two_units())
        self.assertEqual(run(shared, draw(0, 6, 9, 7)).shape, (0, 5, 9, 7))
        self.assertEqual(run(shared, draw(2, 6, 9, 7)).shape, (2, 5, 9, 7))

    def test_other_empty_tensors_are_refused_and_nothing_is_lost(self):
        shared = session(two_units())
        x = draw(1, 6, 9, 7)
        wanted = run(shared, x)
        with self.assertRaisesRegex(ERRORS, "Quernel: .*input 0: a dimension is 0"):
            run(shared, draw(1, 6, 0, 7))
        np.testing.assert_array_equal(run(shared, x), wanted)

    def test_threads_share_a_session(self):
        for pool in (1, 2):
            shared = session(two_units(), threads=pool, pool=pool)
            inputs = [draw(1 + i % 2, 6, 9 + i % 5, 7 + i % 3) for i in range(12)]
            wanted = [run(session(two_units()), x) for x in inputs]
            wrong = []

            def work(start, shared=shared, inputs=inputs, wanted=wanted, wrong=wrong):
                for i in range(60):
                    at = (start + i * 7) % len(inputs)
                    if not np.array_equal(run(shared, inputs[at]), wanted[at]):
                        wrong.append(at)

            workers = [threading.Thread(target=work, args=(start,)) for start in (0, 5)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            self.assertEqual(wrong, [])

    def test_bodies_of_if_are_graphs_too(self):
        """Both use the same names; the weights lie outside of the bodies, and so does the input."""
        rng, shape = np.random.default_rng(8), [1, 16, 7, 7]
        outer = [constants(rng, prefix, 6, 16) for prefix in ("1.", "2.")]

        def body(prefix):
            nodes = unit("i.", "z", "t")
            for node in nodes:
                inside = [name.replace("i.", prefix) for name in node.input]
                known = {tensor.name for tensors in outer for tensor in tensors}
                node.input[:] = [
                    name if name in known else old for name, old in zip(inside, node.input)
                ]
            return helper.make_graph(nodes, "body", [], [info("t", TensorProto.UINT8, shape)])

        nodes = [
            N("Identity", ["x"], ["z"], "id"),
            N("If", ["c"], ["y"], "if", then_branch=body("1."), else_branch=body("2.")),
        ]
        model = made(
            nodes,
            [info("x", TensorProto.UINT8, [1, 6, 7, 7]), info("c", TensorProto.BOOL, [1])],
            [info("y", TensorProto.UINT8, shape)],
            [*outer[0], *outer[1]],
        )
        onnx.checker.check_model(model)
        kept, said = self.islands(model)
        old = ort.__version__.startswith("1.23.")  # which fails on such bodies
        self.assertEqual(len(said["islands"]), 0 if old else 2)
        if old:
            self.assertIn("not of bodies", said["refused"][0]["reason"])
            return
        x = draw(1, 6, 7, 7)
        for prefix, tensors, taken in zip(("1.", "2."), outer, (True, False)):
            whole = made(
                unit(prefix, "x", "y"),
                [info("x", TensorProto.UINT8, [1, 6, 7, 7])],
                [info("y", TensorProto.UINT8, shape)],
                tensors,
            )
            y = kept.run(None, {"x": x, "c": np.array([taken])})[0]
            np.testing.assert_array_equal(run(session(whole), x), y)


class Others(WithFolder):
    def test_a_model_of_which_nothing_is_taken_runs_as_without(self):
        rng = np.random.default_rng(9)
        w = numpy_helper.from_array(rng.normal(size=(4, 6, 3, 3)).astype("f4"), "w")
        model = made(
            [N("Conv", ["x", "w"], ["a"]), N("Relu", ["a"], ["b"]), N("Sin", ["b"], ["y"])],
            [info("x", TensorProto.FLOAT, [1, 6, 8, 8])],
            [info("y", TensorProto.FLOAT, None)],
            [w],
        )
        kept, said = self.islands(model, islands="best")
        self.assertEqual(said["islands"], [])
        self.assertEqual({entry["op"] for entry in said["refused"]}, {"Conv", "Relu", "Sin"})
        x = rng.normal(size=(1, 6, 8, 8)).astype("f4")
        stock = engine.stock(model.SerializeToString(), ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
        np.testing.assert_array_equal(run(kept, x), run(stock, x))
        with self.assertRaises(ERRORS):
            session(model, {"session.disable_cpu_ep_fallback": 1}, islands="best")

    def test_a_model_that_is_taken_whole_needs_nobody_else(self):
        alone = session(codes(), {"session.disable_cpu_ep_fallback": 1})
        np.testing.assert_array_equal(
            run(alone, draw(1, 6, 12, 10)), run(session(codes()), draw(1, 6, 12, 10))
        )


class Contexts(WithFolder):
    def setUp(self):
        super().setUp()
        self.x = draw(2, 6, 9, 7)
        self.source = self.folder / "model.onnx"
        onnx.save(two_units(), self.source)
        self.wanted = run(session(str(self.source)), self.x)

    def compiled(self, embed):
        path = self.folder / f"compiled{embed}.onnx"
        path.unlink(missing_ok=True)  # ONNX Runtime overwrites none
        conf = {"enable": 1, "embed_mode": embed, "file_path": path}
        conf = {f"ep.context_{key}": value for key, value in conf.items()}
        np.testing.assert_array_equal(run(session(str(self.source), conf), self.x), self.wanted)
        return path

    def contexts(self, model):
        return [node for node in model.graph.node if node.op_type == "EPContext"]

    def attribute(self, node, name):
        return next(a for a in node.attribute if a.name == name)

    def loads(self, path):
        np.testing.assert_array_equal(run(session(str(path)), self.x), self.wanted)

    def test_it_gives_the_same_bits_embedded_and_in_files(self):
        for embed in (0, 1):
            with self.subTest(embed=embed):
                path = self.compiled(embed)
                model = onnx.load(path)
                nodes = self.contexts(model)
                self.assertEqual(len(nodes), 2)
                left = [node.op_type for node in model.graph.node if node not in nodes]
                self.assertIn("Sin", left)
                self.assertNotIn("Conv", left)
                for node in nodes:
                    self.assertEqual(self.attribute(node, "source").s, EP_NAME.encode())
                    self.assertEqual(self.attribute(node, "main_context").i, 1)
                    self.assertEqual(self.attribute(node, "embed_mode").i, embed)
                self.loads(path)
                for threads in (1, 2):
                    kept = session(str(path), threads=threads, pool=threads)
                    np.testing.assert_array_equal(run(kept, self.x), self.wanted)
        self.assertEqual(len(list(self.folder.glob("*.quernel"))), 2)

    def test_codes_that_are_only_moved_outside_stay_codes(self):
        """Were they numbers, ONNX Runtime would quantize them once more behind the context node,
        and not know their type."""
        sizes = [N("Shape", ["pd"], ["0"], "of"), N("Abs", ["0"], ["1"], "same")]
        onnx.save(two_units(*sizes, N("Reshape", ["pd", "1"], ["s"], "to")), self.source)
        self.wanted = run(session(str(self.source)), self.x)
        self.loads(self.compiled(0))

    def test_it_moves_with_its_files(self):
        path = self.compiled(0)
        moved = self.folder / "elsewhere"
        moved.mkdir()
        for file in (path, *self.folder.glob("*.quernel")):
            file.rename(moved / file.name)
        self.loads(moved / path.name)

    def test_a_model_without_a_path_has_none(self):
        for more in ({}, {"ep.context_embed_mode": 1}):  # the host itself wants one
            with self.assertRaises(ERRORS):
                session(two_units(), {"ep.context_enable": 1, **more})

    def refused(self, change, text, embed=1):
        """A compiled model that `change` has altered is refused."""
        model = onnx.load(self.compiled(embed))
        change(model, self.contexts(model)[0])
        path = self.folder / "changed.onnx"
        onnx.save(model, path)
        self.refuses(text, str(path))

    def test_another_version_is_refused(self):
        def change(model, node):
            self.attribute(node, "ep_sdk_version").s = b"0.0.7"

        self.refused(change, "written by version '0.0.7', this is .*: compile the model again")

    def test_what_is_not_ours_to_load_is_refused(self):
        def other(name, value):
            def change(model, node):
                setattr(self.attribute(node, name), "i" if isinstance(value, int) else "s", value)

            return change

        self.refused(other("main_context", 0), "main_context: 0: must be 1")
        beside = "must be a file beside the model"
        self.refused(other("ep_cache_context", b"../x.quernel"), beside, 0)
        self.refused(other("ep_cache_context", b"/etc/passwd"), beside, 0)
        self.refused(other("ep_cache_context", b"a/../../x"), beside, 0)
        self.refused(other("ep_cache_context", b"none.quernel"), "cannot be opened", 0)
        self.refused(other("ep_cache_context", b""), "", 1)

    def test_a_program_that_is_not_the_node_s_is_refused(self):
        node = self.contexts(onnx.load(self.compiled(1)))[0]
        y = [info("y", TensorProto.UINT8, ["n", 16, "h", "w"])]
        for kind, inputs in ((TensorProto.FLOAT, "x"), (TensorProto.UINT8, "xz")):
            node.input[:], node.output[:] = list(inputs), ["y"]
            shown = [info(name, kind, ["n", 6, "h", "w"]) for name in inputs]
            self.refuses(
                "its inputs and outputs are not those of the node", made([node], shown, y, [])
            )

    def refused_or_right(self, model, trial):
        """Between its parts a payload has bytes that say nothing."""
        try:
            y = run(session(model), self.x)
        except ERRORS as problem:
            self.assertIn("Quernel: ", str(problem))
            return
        self.assertGreater(len(trial), 0)
        np.testing.assert_array_equal(y, self.wanted)

    def test_damage_is_found(self):
        path = self.compiled(1)
        good = onnx.load(path)
        blob = self.attribute(self.contexts(good)[0], "ep_cache_context").s
        rng = np.random.default_rng(10)
        trials = [blob[:n] for n in (0, 1, 63, 64, len(blob) // 2, len(blob) - 1)]
        trials += [blob + b"x", bytes(len(blob)), blob[::-1]]
        for at in [*range(64), *rng.integers(0, len(blob), 120)]:
            trial = bytearray(blob)
            trial[at] ^= 1 << int(rng.integers(8))
            trials.append(bytes(trial))
        for trial in trials:
            model = onnx.ModelProto.FromString(good.SerializeToString())
            self.attribute(self.contexts(model)[0], "ep_cache_context").s = trial
            self.refused_or_right(model, trial)

    def test_damaged_files_are_found(self):
        path = self.compiled(0)
        file = sorted(self.folder.glob("*.quernel"))[0]
        blob = file.read_bytes()
        for trial in (b"", blob[: len(blob) // 3], blob[:-1], blob[:99] + b"\x55" + blob[100:]):
            if trial == blob:
                continue
            file.write_bytes(trial)
            self.refuses("", str(path))
        file.write_bytes(blob)
        self.loads(path)


def alone(program):
    """Runs a program in a process of its own, with the same plugin."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=HERE,
        env={**os.environ, "QUERNEL_ORT_PLUGIN": str(engine.library())},
        capture_output=True,
        text=True,
        check=False,
    )


def resident():
    pages = pathlib.Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


class Life(unittest.TestCase):
    @unittest.skipIf(
        "asan" in os.environ.get("LD_PRELOAD", ""), "the sanitizer holds back what is freed"
    )
    def test_sessions_leave_nothing_behind(self):
        model, x = two_units(), draw(1, 6, 9, 7)
        seen = []
        for i in range(120):
            run(session(model, threads=2, pool=2), x)
            gc.collect()
            if i in (19, 119):
                seen.append(resident())
        # A session's weights and instances are over 100 KiB.
        self.assertLess(seen[1] - seen[0], 100 * 40 * 1024)

    def test_the_library_may_be_unregistered_at_any_time(self):
        program = """
import host
kept, x = host.session(host.two_units()), host.draw(1, 6, 9, 7)
y = host.run(kept, x)
host.ort.unregister_execution_provider_library(host.engine.NAME)
assert (host.run(kept, x) == y).all()
del kept
print("lived")
"""
        done = alone(program)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, "lived"), done.stderr)


def main():
    absent = engine.why_absent()
    if absent:
        print(f"skipped: the plugin's host: {absent}\n0 passed, 0 failed, 1 skipped")
        return 0
    return front.main(__name__)


if __name__ == "__main__":
    sys.exit(main())
