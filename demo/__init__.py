# SPDX-License-Identifier: Apache-2.0
"""The demonstration on real input: a trained network on photographs, and a LiDAR turn through a
detector's backbone."""
