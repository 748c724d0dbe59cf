# SPDX-License-Identifier: Apache-2.0
"""The engines as contenders (quernel.cli.rounds): start functions, run in a process each."""

import pathlib

from quernel.cli import compare


def _openvino(path, threads):
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",  # int8 layers stay int8
        "ENABLE_CPU_PINNING": False,
    }

    def opening():
        compiled = core.compile_model(path, "CPU", settings)
        request = compiled.create_infer_request()
        # NNCF's files keep ONNX's names; a value may have several
        names = [sorted(one.get_names())[0] for one in compiled.outputs]

        def run(feed):
            made = request.infer(feed, share_inputs=True, share_outputs=False)
            return [made[at] for at in range(len(names))]

        return run, names

    return opening


def _stock(path, threads):
    return compare.start(compare.STOCK, path, threads)


def _quernel(path, threads):
    return compare.start(compare.QUERNEL, path, threads)


def _context(path, threads):
    """Quernel from a context file, which it writes before anything is timed."""
    from quernel import ort

    written = pathlib.Path(path).with_suffix(f".context{threads}.onnx")
    for old in written.parent.glob(written.stem + "*"):
        old.unlink()
    ort.session(path, threads, context=written)
    return compare.start(compare.QUERNEL, str(written), threads)


OURS, OURS_ON_ORT = "quernel", "quernel on ort's file"
# contender → (start, which file of a network it runs, whether that is int8)
CONTENDERS = {
    "ort float": (_stock, "float", False),
    "openvino float": (_openvino, "float", False),
    "ort int8": (_stock, "ort", True),
    "openvino int8": (_openvino, "nncf", True),
    "ort on quernel's file": (_stock, "quernel", True),
    OURS: (_quernel, "quernel", True),
    OURS_ON_ORT: (_quernel, "ort", True),
    "quernel from context": (_context, "quernel", True),
}
PEERS = ("ort int8", "openvino int8")


def versions():
    """Of the engines and quantizers here."""
    import importlib.metadata

    names = ("onnxruntime", "onnx", "openvino", "nncf", "numpy")
    return {name: importlib.metadata.version(name) for name in names}
