"""Makes the virtual environments that the end-to-end tests run in: `venv-ministack`, `venv-moto` and `venv-sam`.

    python3 tests/e2e/setup.py          what the pins say; nothing to do when they have not changed
    python3 tests/e2e/setup.py --pin    resolve requirements/*.in anew, and write the pins (*.txt)

Three environments, since each of the three wants another botocore. pip finds its registry as it always does.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NAMES = ("ministack", "moto", "sam")


def folder():
    """Beside cargo's own output, so that `make clean` takes it too."""
    return (ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "e2e").resolve()


def install(place, requirements):
    """A fresh environment: what an older set of pins had left would not be in the pins."""
    shutil.rmtree(place, ignore_errors=True)
    venv.create(place, with_pip=True)
    quiet = [] if sys.stderr.isatty() else ["--quiet", "--progress-bar", "off"]
    pip = [place / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", *quiet, "--requirement", requirements], check=True)
    return pip


def pin(name):
    """Resolves what a person wrote, and writes down everything that it brought along."""
    place = folder() / f"venv-{name}"
    pip = install(place, HERE / "requirements" / f"{name}.in")
    frozen = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout
    head = f"# Everything that {name}.in brings along. Written by setup.py --pin.\n"
    (HERE / "requirements" / f"{name}.txt").write_text(head + frozen)


def settle(name):
    """Installs the pins, unless they are what is installed already."""
    requirements = HERE / "requirements" / f"{name}.txt"
    place = folder() / f"venv-{name}"
    stamp = place / "installed"
    # The interpreter's version and the folder too: an environment outlives neither the Python that it links to nor a move.
    want = hashlib.sha256(requirements.read_bytes() + f"{sys.version} {place}".encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == want and (place / "bin" / "python").exists():
        return
    print(f"installing {name}", file=sys.stderr, flush=True)
    install(place, requirements)
    stamp.write_text(want)


def main():
    if sys.argv[1:] not in ([], ["--pin"]):
        sys.exit(__doc__)
    folder().mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        if sys.argv[1:]:
            pin(name)
        settle(name)


if __name__ == "__main__":
    main()
