# SPDX-License-Identifier: Apache-2.0
"""The seed's experiment and the real networks: what helps an int8 layer, on which data, and by how
much."""
