"""The environment of the benchmark: made once from requirements.txt, and again when that changes."""

import os
import pathlib
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "bench"


def enter() -> None:
    """Goes on in the environment: makes it where it is missing, and runs the same command with its Python."""
    folder = WORK / "venv"
    if pathlib.Path(sys.prefix) == folder:
        return
    wanted = HERE / "requirements.txt"
    made_of = folder / "requirements.txt"
    if not made_of.exists() or made_of.read_text() != wanted.read_text():
        print(f"makes {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--requirement", str(wanted)]
        subprocess.run(pip, check=True)
        made_of.write_text(wanted.read_text())
    python = str(folder / "bin" / "python")
    os.execv(python, [python, *sys.argv])
