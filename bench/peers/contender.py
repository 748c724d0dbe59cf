# SPDX-License-Identifier: Apache-2.0
"""The parent's side of a contender: starts its process below a ceiling of instruction sets, asks it
to run."""

import dataclasses
import json
import os
import pathlib
import select
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
ONEDNN_CEILINGS = {
    "avx2": "AVX2",
    "avxvnni": "AVX2_VNNI",
    "avx512vnni": "AVX512_CORE_VNNI",
    "amxint8": "DEFAULT",
}
CPUMASK = ROOT / "build" / "tests" / "cross" / "libcpumask.so"
TIMEOUT = 240  # seconds for an answer


class Failed(Exception):
    """A contender cannot run a problem; the reason."""


def environment(name, isa, top):
    """The child's: Quernel and oneDNN have ceilings of their own, the others are shown a CPU
    without what lies above."""
    env = dict(
        os.environ,
        PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / "python")]),
        QUERNEL_ISA=isa,
        QUERNEL_LIBRARY=str(ROOT / "build" / "libquernel.so"),
        ONEDNN_MAX_CPU_ISA=ONEDNN_CEILINGS.get(isa, "DEFAULT"),
    )
    if name in ("openvino", "onnxruntime", "litert") and isa != top:
        if not CPUMASK.exists():
            raise Failed(f"{CPUMASK.name} is not built: this peer has no ceiling of its own")
        env.update(LD_PRELOAD=str(CPUMASK), QUERNEL_CPUMASK=isa)
    if name == "onednn":  # the PyPI package: its SYCL runtime finds the CPU by these
        libraries = pathlib.Path(sys.prefix) / "lib"
        env.update(
            LD_LIBRARY_PATH=str(libraries),
            OCL_ICD_FILENAMES=str(libraries / "libintelocl.so"),
            ONEAPI_DEVICE_SELECTOR="opencl:cpu",
        )
    return env


class Contender:
    """A started contender whose problem is ready and has run; `output` is what it computed."""

    def __init__(self, name, problem, isa, top):
        self.name = name
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "y.npy")
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bench.peers.worker", name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=ROOT,
                env=environment(name, isa, top),
            )
            try:
                answer = self._ask(dict(dataclasses.asdict(problem), output=path))
                if "error" in answer:
                    raise Failed(answer["error"])
                self.version, self.note, self.once = (
                    answer[key] for key in ("version", "note", "once")
                )
                self.output = np.load(path)
            except BaseException:
                self.close()
                raise
        self.calls = max(1, int(2e-3 / self.once))

    def _ask(self, question):
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
            ready = select.select([self.process.stdout], [], [], TIMEOUT)[0]
            line = self.process.stdout.readline() if ready else ""
        except BrokenPipeError:
            line = ""
        if not line:
            raise Failed(f"ended or gave no answer within {TIMEOUT} s")
        return json.loads(line)

    def seconds(self):
        """Of one call, the mean of as many as make 2 ms."""
        return self._ask({"calls": self.calls})["seconds"]

    def close(self):
        self.process.kill()
        self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
