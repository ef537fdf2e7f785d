"""Puts a file in its place: the whole of it or none, and its name in every error."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(target: Path, data: bytes, *, overwrite: bool = True) -> Path:
    """Written beside its place, flushed to disk, renamed. Raises FileExistsError unless `overwrite`; an OSError (a full disk) names the file."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
    try:
        with draft.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if overwrite:
            draft.replace(target)
        else:
            # A link, unlike a rename, fails if another process has made the file meanwhile.
            os.link(draft, target)
    except OSError as error:
        # A full disk names no file, and the draft's name says nothing to anybody.
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        draft.unlink(missing_ok=True)
    return target
