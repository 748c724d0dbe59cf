# SPDX-License-Identifier: Apache-2.0
"""Draws weights that look like trained ones, where no trained ones can be had: heavy tails, and
channels of very uneven size on both sides. Batch norms take their statistics from real data, as
training does, and are folded.

What this keeps of a trained network is what quantization feels (distributions and unevenness); what
the network would detect it does not."""

import numpy as np

UNEVEN_IN, UNEVEN_OUT = 0.5, 0.3  # standard deviations of the logarithms of the channels' sizes
GAMMA_SPREAD, BETA_MEAN, BETA_SPREAD = 0.6, -0.15, 0.35


def weights(rng, outputs, inputs, kernel=()):
    """float32 [outputs, inputs, *kernel]: Laplace, times a size per output and per input channel;
    the mean square of a row is about 1 / (number of its weights)."""
    shape = (outputs, inputs, *kernel)
    ones = (1,) * len(kernel)
    drawn = rng.laplace(size=shape) / np.sqrt(2 * np.prod(shape[1:]))
    drawn *= np.exp(rng.normal(0, UNEVEN_OUT, (outputs, 1, *ones)))
    drawn *= np.exp(rng.normal(0, UNEVEN_IN, (1, inputs, *ones)))
    return drawn.astype(np.float32)


def norm(rng, mean, variance, eps=1e-3):
    """A batch norm of these running statistics, gamma and beta drawn: the factor of the weights of
    each output channel, and the bias."""
    outputs = len(mean)
    gamma = np.exp(rng.normal(0, GAMMA_SPREAD, outputs))
    beta = gamma * rng.normal(BETA_MEAN, BETA_SPREAD, outputs)
    factor = gamma / np.sqrt(variance + eps)
    return factor.astype(np.float32), (beta - mean * factor).astype(np.float32)
