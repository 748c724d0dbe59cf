# SPDX-License-Identifier: Apache-2.0
"""Which class of machines this one belongs to: cores of one design, with the instruction sets that
a hypervisor leaves them, whatever their number."""

import pathlib
import re

CPUINFO = pathlib.Path("/proc/cpuinfo")
VENDORS = {"GenuineIntel": "intel", "AuthenticAMD": "amd"}


def class_of(text, highest):
    """Of what /proc/cpuinfo says and the highest set: amd-25-17-avx2, arm-0x41-0xd0c-dotprod."""
    return f"{_core(text)}-{highest}"


def _core(text):
    found = dict(re.findall(r"^([^\t:]+?)\s*: *(.*)$", text, re.MULTILINE))
    if "vendor_id" in found:
        vendor = VENDORS.get(found["vendor_id"], found["vendor_id"].lower())
        return f"{vendor}-{found['cpu family']}-{found['model']}"
    return f"arm-{found['CPU implementer']}-{found['CPU part']}"


def this_class(usable):
    """usable: sets, the highest last, as `quernel info` has them."""
    return class_of(CPUINFO.read_text(encoding="utf-8"), usable.split()[-1])
