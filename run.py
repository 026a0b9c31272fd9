#!/usr/bin/env python3
"""The one door to this project; needs nothing but Python 3.11 or newer.

    python3 run.py lab [--no-browser]           JupyterLab on notebooks/00_start_here.ipynb
    python3 run.py test [pytest options]        every check: format, lint, types, imports, tests
    python3 run.py analyse FILE... --out DIR    raw files in; results, tables and a report out
    python3 run.py verify [NOTEBOOK...]         the notebooks again: a verdict on every number
    python3 run.py refresh [NOTEBOOK...]        run the notebooks again and save them with outputs
    python3 run.py bench                        speed, as ratios inside one run

The first call makes the folder .venv beside this file and installs into it; later calls start at
once. Deleting .venv undoes everything. Each ordinary command that is run is printed, so that
anyone can do without this file.
"""

# Standard library only, and no syntax that an old Python cannot parse: it has to read this file to
# say that it is too old. That is why there are no annotations and no f-strings here.
import os
import sys

MINIMUM = (3, 11)


def refuse_old_python():
    """Leave with advice when this Python is older than the project needs."""
    if sys.version_info >= MINIMUM:
        return
    folders = os.environ.get("PATH", "").split(os.pathsep)
    newer = ["python3.%d" % minor for minor in range(20, MINIMUM[1] - 1, -1)]
    found = [n for n in newer if any(os.path.exists(os.path.join(d, n)) for d in folders)]
    advice = (
        "One is installed here; run:  %s run.py ..." % found[0]
        if found
        else "Install one (python.org, your system's packages, conda or uv), then run this again."
    )
    sys.exit(
        "metrospec needs Python %d.%d or newer; this is Python %s (%s).\n%s"
        % (MINIMUM + (sys.version.split()[0], sys.executable, advice))
    )


refuse_old_python()

import hashlib
import importlib.util
import json
import pathlib
import shlex
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent
ENV = ROOT / ".venv"
BIN = ENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LOCK = ROOT / "requirements.lock"
STAMP = ENV / "metrospec-stamp.json"  # what is installed; written last
UNFINISHED = ENV / "metrospec-unfinished"  # set-up under way; holds its process number
START = "notebooks/00_start_here.ipynb"
NEEDED_GB = 2.0
PYTEST = ["-m", "pytest", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
PYTEST += ["--nbval-sanitize-with", "tests/contract/nbval.cfg"]
# One process, for --pdb: `run.py test -n 0`.
PYTEST += ["-n", "logical", "--maxprocesses=4", "--dist", "loadfile", "--no-loadscope-reorder"]

# What an installer prints when it fails, and what the user can do about it; the first match wins.
ADVICE = [
    (
        ("No space left", "Errno 28", "os error 28"),
        "The disk is full. About %.0f GB are needed in %s and in the temporary folder."
        % (NEEDED_GB, ROOT),
    ),
    (
        ("DO NOT MATCH THE HASHES", "Hash mismatch"),
        "A downloaded file is not the one that requirements.lock names: a broken download, or a\n"
        "proxy or mirror that changes files. Try again, or from another network.",
    ),
    (
        ("name resolution", "NewConnectionError", "ConnectTimeout", "dns error", "ProxyError",
         "Network is unreachable", "Connection refused", "Read timed out", "Failed to fetch",
         "error sending request", "getaddrinfo failed", "Connection reset"),
        "The package index could not be reached. Check the connection (behind a proxy set\n"
        "HTTPS_PROXY), then run the same command again: what was downloaded is not lost.",
    ),
    (
        ("Permission denied", "Access is denied", "Read-only file system"),
        "The folder %s cannot be written to. Clone into a folder of your own." % ROOT,
    ),
    (
        ("ensurepip",),
        "This Python cannot make virtual environments. On Debian or Ubuntu:\n"
        "    sudo apt install python3-venv\nElsewhere, install uv; it is found and used.",
    ),
    (
        ("No matching distribution", "Failed building wheel", "Failed to build",
         "subprocess-exited-with-error", "no wheels with a matching"),
        "A package has no ready-made file for this Python and system (%s, Python %s).\n"
        "Use a Python from 3.11 to 3.13, or conda:  conda env create -f environment.yml"
        % (sys.platform, sys.version.split()[0]),
    ),
]  # fmt: skip


def say(text):
    """Print one line of what is going on, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show(command):
    """Print a command as one would type it."""
    words = [str(word) for word in command]
    say("$ " + (subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)))


def environment():
    """Return the environment for programs of .venv: its own first, no foreign Python settings."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}
    env["PATH"] = str(BIN) + os.pathsep + env.get("PATH", "")
    env["VIRTUAL_ENV"] = str(ENV)
    env["JUPYTER_PREFER_ENV_PATH"] = "1"
    env.setdefault("JUPYTERLAB_WORKSPACES_DIR", str(ENV / "share" / "jupyter" / "workspaces"))
    return env


def digest(*paths):
    """Return one hash over the contents of files, in the order given."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.read_bytes())
    return total.hexdigest()


def wanted():
    """Return what the stamp of a finished set-up must say now."""
    return {
        "python": sys.version,
        "root": str(ROOT),
        "lock": digest(LOCK),
        "project": digest(ROOT / "pyproject.toml"),
        "kernel": digest(
            *sorted(path for room in ("baseline", "peaks") for path in (ROOT / "analysis" / room).glob("*.py"))
        ),
    }


def installed():
    """Return what the stamp says, {} without a usable one."""
    try:
        return json.loads(STAMP.read_text(encoding="utf-8")) if PYTHON.exists() else {}
    except (OSError, ValueError):
        return {}


def is_running(process):
    """Tell whether a process number is in use; False where that cannot be asked harmlessly."""
    if os.name == "nt" or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except OSError:
        return False
    return True


def fail(lines):
    """Leave with what can be done about a failed step of the set-up."""
    text = "\n".join(lines)
    advice = [what for signs, what in ADVICE if any(sign in text for sign in signs)]
    fallback = "Read the lines above; running the same command again starts the set-up afresh."
    sys.exit("\nThe set-up did not finish.\n" + (advice or [fallback])[0])


def step(command, total=0):
    """Run one command of the set-up; with `total`, count the packages that it names."""
    show(command)
    lines, count = [], 0
    with subprocess.Popen(
        [str(word) for word in command],
        env=environment(),
        cwd=str(ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout:
            lines = lines[-200:] + [line.rstrip()]
            if not total:
                say("  " + line.rstrip())
            elif line.startswith(("Collecting ", "Processing ")):
                count += 1
                if count % 20 == 0:
                    say("  %d of at most %d packages" % (count, total))
            elif line.startswith("Installing collected"):
                say("  unpacking")
    if process.returncode:
        if total:
            say("\n".join(lines[-15:]))
        fail(lines)


def clear_half_made():
    """Remove a .venv that was left half-made; refuse one that this file did not make."""
    if not ENV.exists():
        return
    if UNFINISHED.exists():
        process = UNFINISHED.read_text(encoding="utf-8").strip()
        if is_running(process):
            sys.exit("Another set-up is under way (process %s); wait until it is done." % process)
        say("The last set-up was interrupted; starting afresh.")
    elif not STAMP.exists():
        sys.exit(
            "%s exists but was not made by run.py, and is left alone.\n"
            "Move it away and run this again, or install into it yourself:  pip install -e '.[all]'" % ENV
        )
    shutil.rmtree(str(ENV))


def make_environment(uv):
    """Make an empty .venv."""
    free = shutil.disk_usage(str(ROOT)).free / 1e9
    if free < NEEDED_GB:
        fail(["No space left: %.1f GB free" % free])
    if not uv and not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        fail(["ensurepip"])
    clear_half_made()
    try:
        ENV.mkdir()
        UNFINISHED.write_text(str(os.getpid()), encoding="utf-8")
    except OSError as error:
        fail([str(error)])
    if uv:
        step([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, ENV])
    else:
        step([sys.executable, "-m", "venv", ENV])


def quiet_jupyterlab():
    """Switch off JupyterLab's news and update pop-ups, in .venv only."""
    folder = ENV / "share" / "jupyter" / "lab" / "settings"
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "@jupyterlab/apputils-extension:notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
        }
    }
    (folder / "overrides.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")


def set_up():
    """Bring .venv to what the lock and pyproject.toml ask for; at once when nothing changed."""
    now, was = wanted(), installed()
    if now == was and not UNFINISHED.exists():
        return
    uv = shutil.which("uv")
    fresh = UNFINISHED.exists() or any(now[key] != was.get(key) for key in ("python", "root"))
    if fresh:
        say("First use: setting up .venv with %s; a minute or two." % ("uv" if uv else "pip"))
        make_environment(uv)
        was = {}
    UNFINISHED.write_text(str(os.getpid()), encoding="utf-8")
    install = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install"]
    if uv:
        install = [uv, "pip", "install", "--python", PYTHON]
    if now["lock"] != was.get("lock"):
        total = LOCK.read_text(encoding="utf-8").count("==")
        step(install + ["--require-hashes", "-r", LOCK], total=total)
    if now["project"] != was.get("project") or now["lock"] != was.get("lock"):
        step(install + ["--quiet", "--no-build-isolation", "--no-deps", "-e", ROOT])
        quiet_jupyterlab()
    if now["kernel"] != was.get("kernel") and (ROOT / "analysis/peaks/warm_up.py").exists():
        say("Compiling the fit kernel, once; it is kept on disk.")
        step([PYTHON, "-m", "analysis.peaks.warm_up"])
    STAMP.write_text(json.dumps(now), encoding="utf-8")
    UNFINISHED.unlink()
    say("Ready.\n")


def warn_of_shadows(here):
    """Say when another package would be imported in place of ours."""
    folders = [] if here.resolve() == ROOT else [here]
    folders += ENV.glob("Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages")
    for folder in folders:
        for name in ("analysis", "instruments"):
            candidates = (folder / name / "__init__.py", folder / (name + ".py"))
            for path in candidates:
                if path.exists() and "metrospec" not in path.read_text("utf-8", "replace")[:500]:
                    say(
                        "Note: %s hides metrospec's own `%s` from a Python started %s.\n"
                        "Rename it, work in another folder, or uninstall that package."
                        % (path, name, "there" if folder == here else "in .venv")
                    )


def hand_over(command, folder):
    """Run the command in place of this program and leave with its exit code."""
    show(command)
    words = [str(word) for word in command]
    if os.name == "nt":
        sys.exit(subprocess.call(words, cwd=str(folder), env=environment()))
    os.chdir(str(folder))
    sys.stdout.flush()
    os.execve(words[0], words, environment())  # signals and Ctrl-C then reach the program itself


def lab(options):
    """Return the command that starts JupyterLab: this machine only, with a token."""
    command = [PYTHON, "-m", "jupyterlab", "--ip=127.0.0.1", "--log-level=WARN"]
    command += ["--LabApp.extension_manager=readonly"]  # asks no registry
    command += ["--ServerApp.root_dir=" + str(ROOT), "--LabApp.default_url=/lab/tree/" + START]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        say("You are root: JupyterLab is started with --allow-root.")
        command.append("--allow-root")
    say("JupyterLab prints its address with the token below; stop it with Ctrl-C.")
    return command + options


def main():
    """Read the command, set up, hand over."""
    name, options = (sys.argv[1:2] or ["--help"])[0], sys.argv[2:]
    here = pathlib.Path.cwd()
    commands = {
        "lab": lambda: (lab(options), ROOT),
        "test": lambda: ([PYTHON] + PYTEST + options, ROOT),
        "analyse": lambda: ([PYTHON, "-P", "-m", "analysis"] + options, here),
        "refresh": lambda: ([PYTHON, "-m", "tests.notebooks"] + options, ROOT),
        "verify": lambda: ([PYTHON, "-m", "analysis.verify"] + options, ROOT),
        "bench": lambda: (
            [PYTHON, "-m", "pytest", "-o", "norecursedirs=.* __pycache__", "tests/benchmarks"] + options,
            ROOT,
        ),
    }
    if name in ("-h", "--help", "help"):
        sys.exit(say(__doc__))
    if name not in commands:
        sys.exit("No command %r; there are: %s.\n%s" % (name, ", ".join(commands), __doc__))
    try:
        set_up()
    except KeyboardInterrupt:
        sys.exit("\nStopped. The same command starts the set-up afresh.")
    warn_of_shadows(here)
    hand_over(*commands[name]())


if __name__ == "__main__":
    main()
