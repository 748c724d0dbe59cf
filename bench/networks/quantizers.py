# SPDX-License-Identifier: Apache-2.0
"""A network's int8 files, by each quantizer with the settings that its users start with. Files are
kept beside the float model, in a folder named after its bytes, and made once."""

import contextlib
import hashlib
import logging
import os
import pathlib
import shutil
import sys
import tempfile

CALIBRATION = 8  # inputs that every quantizer sees


def _ort(model, name, arrays, out, seconds):
    from onnxruntime import quantization as q

    class Reader(q.CalibrationDataReader):
        def __init__(self):
            self.left = iter(arrays)

        def get_next(self):
            x = next(self.left, None)
            return None if x is None else {name: x}

    logging.disable(logging.WARNING)
    prepared = out + ".prepared"  # batch norms folded, as its documents ask for
    q.quant_pre_process(model, prepared, skip_symbolic_shape=True)
    q.quantize_static(
        prepared,
        out,
        Reader(),
        quant_format=q.QuantFormat.QDQ,
        activation_type=q.QuantType.QUInt8,
        weight_type=q.QuantType.QInt8,
        per_channel=True,
    )
    logging.disable(logging.NOTSET)
    os.unlink(prepared)


def _nncf(model, name, arrays, out, seconds):
    os.environ.setdefault("NNCF_DISABLE_TELEMETRY", "1")
    import nncf
    import openvino

    read = openvino.Core().read_model(model)
    made = nncf.quantize(read, nncf.Dataset(arrays, lambda x: {name: x}), subset_size=len(arrays))
    openvino.save_model(made, out, compress_to_fp16=False)


def _quernel(model, name, arrays, out, seconds):
    from quernel import onnx
    from quernel.cli.progress import Progress

    report = onnx.quantize(
        model, [{name: x} for x in arrays], out, seconds=seconds, threads=1, progress=Progress()
    )
    pathlib.Path(out).with_suffix(".txt").write_text(f"{report}\n", encoding="utf-8")


# who → (what makes the file, how the file is called)
QUANTIZERS = {
    "ort": (_ort, "ort.onnx"),
    "nncf": (_nncf, "nncf.xml"),
    "quernel": (_quernel, "quernel.onnx"),
}


def folder_of(out, label, data):
    """Where a network's files are."""
    return pathlib.Path(out, "models", f"{label}-{hashlib.sha256(data).hexdigest()[:8]}")


def files(out, label, network, seconds, say):
    """({who: path}, {who: why not}, name of the input). "float" is one of them."""
    model, name = network.model()
    data = model.SerializeToString()
    folder = folder_of(out, label, data)
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "float.onnx"
    source.write_bytes(data)
    arrays = [network.input(index) for index in range(CALIBRATION)]
    found, failed = {"float": str(source)}, {}
    for who, (make, called) in QUANTIZERS.items():
        target = folder / called
        if not target.exists():
            say(f"{label}: {who} quantizes")
            try:
                _whole(make, str(source), name, arrays, target, seconds)
            except Exception as problem:  # of any kind: the others are still compared
                failed[who] = f"{type(problem).__name__}: {' '.join(str(problem).split())[:200]}"
                continue
        found[who] = str(target)
    return found, failed, name


def _whole(make, source, name, arrays, target, seconds):
    """Moves what was made to its place when all of it is there."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        with contextlib.redirect_stdout(sys.stderr):  # NNCF draws there how far it is
            make(source, name, arrays, str(pathlib.Path(scratch, target.name)), seconds)
        for made in sorted(pathlib.Path(scratch).iterdir(), key=lambda p: p.name == target.name):
            shutil.move(made, target.parent / made.name)
