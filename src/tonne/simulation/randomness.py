"""The only place where chance enters: named streams that depend on a seed and a name and on nothing else."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """A stream of its own for each seed and name: the same on every machine, in every process, whatever other streams have drawn.

    `generator(7, "population", "sizes")`. The names are hashed, not counted, so that a new stream moves no other one; the hash is SHA-256,
    which unlike Python's own does not change from process to process.
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"a seed is a whole number, not {seed!r}")
    # The length before each name keeps ("a", "bc") apart from ("ab", "c").
    text = f"{seed}" + "".join(f"/{len(name)}:{name}" for name in names)
    digest = hashlib.sha256(text.encode()).digest()
    words = np.frombuffer(digest, dtype=">u4").astype(np.uint32)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words.tolist())))
