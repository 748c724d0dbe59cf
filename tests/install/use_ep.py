# SPDX-License-Identifier: Apache-2.0
"""A user of the installed wheel `onnxruntime-ep-quernel`, who has nothing else of Quernel: runs the
file that is named, as the wheel's README says."""

import importlib.util
import sys

import onnxruntime_ep_quernel as ep

assert importlib.util.find_spec("quernel") is None
assert ep.get_ep_names() == [ep.get_ep_name()], ep.get_ep_names()
print(ep.get_library_path())
if len(sys.argv) > 1:
    import numpy as np
    import onnxruntime as ort

    ort.register_execution_provider_library(ep.get_ep_name(), ep.get_library_path())
    devices = [d for d in ort.get_ep_devices() if d.ep_name == ep.get_ep_name()]
    assert len(devices) == 1, devices
    options = ort.SessionOptions()
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    options.add_provider_for_devices(devices, {"threads": "1", "islands": "all"})
    session = ort.InferenceSession(sys.argv[1], options, enable_fallback=0)
    one = session.get_inputs()[0]
    x = np.random.default_rng(1).normal(size=one.shape).astype(np.float32)
    stock = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
    wanted, made = (s.run(None, {one.name: x})[0] for s in (stock, session))
    # ONNX Runtime's sums saturate where the CPU has no VNNI
    assert np.square(wanted - made).sum() < 0.1 * np.square(wanted).sum()
    assert ep.get_ep_name() in session.get_providers(), session.get_providers()
    print(ort.__version__, session.get_providers())
