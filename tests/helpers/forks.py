"""Processes that another program becomes, forked from one that has loaded what it needs.

A fork has the arguments, working folder, environment and search path that a new Python would have,
and shares nothing that it does with the process it comes from.
"""

import atexit
import os
import runpy
import sys
import traceback
from pathlib import Path


def become(program, words, folder, environment, streams):
    """Run a program in this fork as if Python had been started for it, and end the process.

    Args:
        program: A function of no arguments; what it returns or raises decides the exit code, as
            it does for a script.
        words: The name of the program, and its arguments.
        folder: The working folder.
        environment: Names and values, all of them.
        streams: Open files that take the place of standard input, output and error.
    """
    code = 1
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        paths = list(filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)))
        # the folder of the file that forked makes way for what `python` would have there
        sys.path[:1] = [str(Path(words[0]).parent) if os.sep in words[0] else "", *paths]
        sys.argv = list(words)
        for path in paths:
            if (start := Path(path) / "sitecustomize.py").exists():
                runpy.run_path(str(start))
        code = _code_of(program)
        atexit._run_exitfuncs()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _code_of(program):
    try:
        program()
    except SystemExit as end:
        if isinstance(end.code, str):  # as Python does where nobody catches it
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    return 0
