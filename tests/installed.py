"""Postern as it is installed: releases of this tree, and a machine to install them on.

The machine is a folder. Its service manager is a program called `systemctl` that starts and stops
what the installed units say, so that everything but systemd itself is real: the installer, the
versions with their environments, the service, the store.
"""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from postern.store.database import head
from tests.media import write_picture

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = sysconfig.get_path("purelib")
SITE = """\
[site]
name = "Garage"

[roster]
justification = "The people of the tests carry nothing."

[camera.lane]
kind = "file"
path = "lane.png"
sees = "plate"
loop = true

[actuator.boom]
kind = "simulated"

[access_point.barrier]
cameras = ["lane"]
actuator = "boom"
"""
#: Kills whoever carries an upgrade out at one of its steps, once: before it starts a program or
#: changes a name or a file beside the versions, or (`DIE_IN`) while that program runs.
_KILLER = """\
import os, signal, sys, threading

def _arm():
    root, at = os.environ["DIE_ROOT"], int(os.environ["DIE_AT"])
    if os.path.exists(os.path.join(root, "run", "died")):
        return
    steps = iter(range(1_000_000))

    def die():
        open(os.path.join(root, "run", "died"), "x").close()
        os.killpg(0, signal.SIGKILL)

    def look(event, arguments):
        if event == "subprocess.Popen":
            if next(steps) == at:
                if os.environ.get("DIE_IN"):
                    threading.Timer(float(os.environ["DIE_IN"]), die).start()
                else:
                    die()
            return
        writes = event == "open" and int(arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        changes = event in ("os.rename", "os.remove", "os.symlink", "shutil.rmtree")
        where = os.path.join(root, "opt", "postern")
        name = arguments[1 if event == "os.symlink" else 0]
        if (writes or changes) and os.path.dirname(str(name)) == where and next(steps) == at:
            die()

    sys.addaudithook(look)

if "--continue" in sys.orig_argv and "DIE_AT" in os.environ:
    _arm()
"""
_SYSTEMCTL = '''\
#!{python}
"""Starts and stops what units say, below one folder."""
import os, re, signal, subprocess, sys, time
from pathlib import Path

root = Path({root!r})
run, units = root / "run", root / "etc/systemd/system"
run.mkdir(exist_ok=True)
words = [word for word in sys.argv[1:] if not word.startswith("-")]
with open(run / "asked", "a") as asked:
    asked.write(" ".join(sys.argv[1:]) + "\\n")

def setting(unit, key):
    text = (units / unit).read_text()
    found = re.findall(rf"^{{key}}=(.*)$", text, re.M)
    return [re.sub(r"/(opt|etc|var)/", rf"{{root}}/\\1/", one) for one in found]

def pid():
    try:
        number = int((run / "pid").read_text())
        state = Path(f"/proc/{{number}}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else number

def start():
    if pid():
        return 0
    log = open(run / "log", "w")
    told = dict(one.split("=", 1) for one in setting("postern.service", "Environment"))
    command = setting("postern.service", "ExecStart")[0].split()
    service = subprocess.Popen(
        command, env=dict(os.environ, **told), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    (run / "pid").write_text(str(service.pid))
    for _ in range(1200):
        if "is watched" in (run / "log").read_text():
            return 0
        if service.poll() is not None:
            return 1
        time.sleep(0.05)
    return 1

def stop():
    number = pid()
    if number:
        os.kill(number, signal.SIGTERM)
    while pid():
        time.sleep(0.05)
    return 0

def upgrade():
    for _ in range(3):
        if not (root / "opt/postern/upgrade.json").exists():
            return 0
        command = setting("postern-upgrade.service", "ExecStart")[0].split()
        if subprocess.run([*command, "--root", str(root)]).returncode == 0:
            return 0
    return 1

match words:
    case ["start", "postern.service"]:
        sys.exit(start())
    case ["stop", "postern.service"]:
        sys.exit(stop())
    case ["is-active", "postern.service"]:
        sys.exit(0 if pid() else 3)
    case ["start", "postern-upgrade.service"]:
        sys.exit(upgrade())
'''


@dataclass(frozen=True, slots=True)
class Machine:
    """A folder that Postern is installed into, with a service manager.

    Attributes:
        root: The folder.
    """

    root: Path

    @property
    def versions(self) -> Path:
        """Where the versions are."""
        return self.root / "opt" / "postern"

    @property
    def data(self) -> Path:
        """The site's folder."""
        return self.root / "var" / "lib" / "postern" / "data"

    def environment(self, **more: str) -> dict[str, str]:
        """What a program on this machine finds in its environment."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("POSTERN_", "PYTHON"))}
        path = f"{self.root / 'sbin'}{os.pathsep}{kept['PATH']}"
        return {**kept, "PATH": path, "https_proxy": "http://127.0.0.1:9", **more}

    def install(self, release: Path, *options: str) -> "subprocess.CompletedProcess[str]":
        """Runs a release's installer."""
        script = str(release / "packaging" / "install")
        given = ["--root", str(self.root), "--python", sys.executable, "--libraries", LIBRARIES]
        return self.run("sh", script, *given, *options)

    def run(self, *words: str, answer: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        """Runs a program on this machine."""
        return subprocess.run(
            words,
            env=self.environment(**more),
            input=answer,
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
            timeout=280,
        )

    def postern(
        self, *words: str, answer: str = "", **more: str
    ) -> "subprocess.CompletedProcess[str]":
        """Runs the installed command."""
        program = str(self.root / "usr" / "local" / "bin" / "postern")
        where = ["--root", str(self.root)] if words[0] == "upgrade" else []
        return self.run(program, *words, *where, answer=answer, **more)

    def systemctl(self, *words: str) -> int:
        """Asks the service manager."""
        return self.run("systemctl", *words).returncode

    def is_up(self) -> bool:
        """Whether the service runs."""
        return self.systemctl("is-active", "postern.service") == 0

    def boot(self) -> None:
        """What a machine does after the power was away: the service first, then an upgrade."""
        self.systemctl("start", "postern.service")
        self.systemctl("start", "postern-upgrade.service")

    def kill(self) -> None:
        """The power goes: the service dies with everything else."""
        try:
            number = int((self.root / "run" / "pid").read_text())
            os.killpg(number, signal.SIGKILL)
        except (OSError, ValueError):
            return
        while self.is_up():
            time.sleep(0.05)

    def cut_off(self, at: int, in_s: float | None = None) -> bool:
        """Has an upgrade carried out and killed at its step of that number; whether it was.

        Args:
            at: Which of its programs, links and files; it is killed before that.
            in_s: Where that is a program, kills it together with that program, so many seconds
                after its start.
        """
        (self.root / "run" / "died").unlink(missing_ok=True)
        (self.root / "killer").mkdir(exist_ok=True)
        (self.root / "killer" / "sitecustomize.py").write_text(_KILLER, "utf-8")
        more = {} if in_s is None else {"DIE_IN": str(in_s)}
        self.run(
            *("systemctl", "start", "postern-upgrade.service"),
            PYTHONPATH=str(self.root / "killer"),
            DIE_ROOT=str(self.root),
            DIE_AT=str(at),
            **more,
        )
        return (self.root / "run" / "died").exists()

    def named(self, link: str) -> str:
        """The version that a link leads to."""
        return os.readlink(self.versions / link)


def make_machine(root: Path) -> Machine:
    """A machine without Postern, with a site described."""
    machine = Machine(root.resolve())
    (root / "sbin").mkdir(parents=True)
    manager = root / "sbin" / "systemctl"
    manager.write_text(_SYSTEMCTL.format(python=sys.executable, root=str(machine.root)))
    manager.chmod(0o755)
    (root / "etc" / "postern").mkdir(parents=True)
    (root / "etc" / "postern" / "site.toml").write_text(SITE, "utf-8")
    write_picture(root / "etc" / "postern" / "lane.png", 3)
    return machine


def make_release(folder: Path, version: str, changes: Mapping[str, str] | None = None) -> Path:
    """A release of this tree under another number; gives its folder.

    Args:
        folder: Where it is made.
        version: The number.
        changes: Files below `src/postern` to be written over or added, with their contents.
    """
    tree = folder / f"tree-{version}"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("src", "packaging", "requirements"):
        shutil.copytree(ROOT / name, tree / name, ignore=ignored)
    for name in ("README.md", "LICENSE", "THIRD_PARTY_NOTICES.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tree / name)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    own = next(line for line in project.splitlines() if line.startswith("version = "))
    (tree / "pyproject.toml").write_text(project.replace(own, f'version = "{version}"', 1), "utf-8")
    for name, content in (changes or {}).items():
        (tree / "src" / "postern" / name).write_text(content, "utf-8")
    made = [str(tree / "packaging" / "release"), sys.executable, str(folder)]
    subprocess.run(["sh", *made], check=True, capture_output=True)
    shutil.rmtree(tree)
    return folder / f"postern-{version}"


def migration(body: str) -> str:
    """A migration beyond the newest of this tree."""
    return (
        f'"""One that only a release of the tests has."""\n\nfrom alembic import op\n\n'
        f'revision = "9001"\ndown_revision = "{head()}"\nbranch_labels = depends_on = None\n\n\n'
        f"def upgrade() -> None:\n    {body}\n"
    )
