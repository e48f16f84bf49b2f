"""The installer, the way out, and what both say where they cannot go on."""

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installed import LIBRARIES, ROOT, SITE, Machine, make_machine, make_release
from tests.needs import missing

SCRIPTS = sorted(
    path
    for path in (ROOT / "packaging").iterdir()
    if path.is_file() and path.read_bytes().startswith(b"#!/bin/sh\n")
)
VERSION = "0.1.1"
#: A library of one line, as a wheel has it.
_WHEEL = {
    "tiny.py": "ONE = 1\n",
    "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "tiny-1.0.dist-info/RECORD": "",
}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_release(tmp_path_factory.mktemp("releases"), VERSION)


@pytest.fixture(scope="module")
def installed(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = make_machine(tmp_path_factory.mktemp("machine") / "root")
    (machine.root / "etc" / "postern" / "site.toml").unlink()
    done = machine.install(release)
    assert 0 == done.returncode, done.stderr
    yield machine
    machine.kill()


def test_a_machine_has_everything_after_one_command(installed: Machine) -> None:
    """The version with its units, an example of a site, and the command that reads it."""
    example = (installed.root / "etc" / "postern" / "site.toml").read_text("utf-8")
    assert example == (ROOT / "packaging" / "site.toml").read_text("utf-8")
    checked = installed.postern("check")
    assert 0 == checked.returncode, checked.stderr
    assert "site.toml is sound" in checked.stdout
    assert str(installed.data) in checked.stderr
    assert f"postern {VERSION}\n" == installed.postern("--version").stdout
    assert VERSION == installed.named("current") == installed.named("proved")
    assert 0o700 == stat.S_IMODE(installed.data.parent.stat().st_mode)
    units = installed.root / "etc" / "systemd" / "system"
    wanted = {path.name for path in (ROOT / "packaging").glob("*.service")}
    assert wanted <= {path.name for path in units.iterdir()}
    assert "/proved/" in os.readlink(units / "postern-upgrade.service")
    assert all(path.exists() for path in units.iterdir())


def test_run_twice_it_changes_nothing(installed: Machine, release: Path) -> None:
    """Nor does it touch the site's own file, or need any room."""
    _stand_in(installed, "df", "echo; echo / 1 1 1024 1")
    (installed.root / "etc" / "postern" / "site.toml").write_text(SITE, "utf-8")
    before = _times(installed.root)
    done = installed.install(release)
    (installed.root / "sbin" / "df").unlink()

    assert 0 == done.returncode, done.stderr
    assert f"Postern {VERSION} is in" in done.stdout
    assert before == _times(installed.root)


def test_environment_is_read_as_systemd_reads_it(installed: Machine, tmp_path: Path) -> None:
    """Lines of NAME=value, for the service and every command; no shell runs what stands there."""
    (installed.root / "etc" / "postern" / "site.toml").write_text(SITE, "utf-8")
    other = tmp_path / "my site.toml"
    other.write_text(SITE.replace("lane.png", str(tmp_path / "lane.png")), "utf-8")
    given = installed.root / "etc" / "postern" / "environment"
    for where in (f'"{other}"', f"'{other}'", f"{other}  "):
        given.write_text(
            f"# Ours\n; also\n\nNOTE=two words; touch {tmp_path}/run\n"
            f"OTHER=$(touch {tmp_path}/run)\ntouch {tmp_path}/run\n  POSTERN_SITE={where}",
            "utf-8",
        )
        told = installed.postern("check")
        given.unlink()
        assert "my site.toml" in told.stdout + told.stderr
    assert not (tmp_path / "run").exists()


def test_another_version_is_left_to_the_upgrade(installed: Machine, tmp_path: Path) -> None:
    """It would stop the service and change the store without a way back."""
    before = _times(installed.root)
    done = installed.install(make_release(tmp_path, "0.1.2"))

    assert 1 == done.returncode
    assert f"install: Postern {VERSION} is installed here." in done.stderr
    assert "Run: sudo postern upgrade" in done.stderr
    assert before == _times(installed.root)


def test_version_that_was_cut_off_is_installed_anew(release: Path, tmp_path: Path) -> None:
    """What has no mark of being whole is not used."""
    machine = make_machine(tmp_path / "root")
    left = machine.versions / VERSION
    (left / "bin").mkdir(parents=True)
    (left / "bin" / "postern").write_text("half of it")
    assert 0 == machine.install(release).returncode

    assert f"postern {VERSION}\n" == machine.postern("--version").stdout
    assert (left / ".complete").exists()


def test_attack_modules_planted_where_the_command_is_typed_are_not_run(
    release: Path, tmp_path: Path
) -> None:
    """A folder such as /tmp is anybody's to write to, and who installs is root."""
    machine = make_machine(tmp_path / "root")
    planted = f"open({str(tmp_path / 'run')!r}, 'a').write(__name__)\n"
    for module in ("pip", "venv", "ensurepip", "sysconfig"):
        # Where `run` begins programs.
        (machine.root / f"{module}.py").write_text(planted, "utf-8")
    done = machine.install(release)

    assert not (tmp_path / "run").exists()
    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_installation_that_is_stopped_takes_no_room(
    release: Path, tmp_path: Path, number: int
) -> None:
    """Ctrl-C while the libraries come; a service beside it needs the room to record anything."""
    machine = make_machine(tmp_path / "root")
    slow = 'mkdir "$4" && echo >"$4/half" && sleep 9'
    _stand_in(machine, "python3.1", f'case "$*" in *"-m venv"*) {slow} ;; esac')
    given = ["sh", str(release / "packaging" / "install"), "--root", str(machine.root)]
    process = subprocess.Popen(
        [*given, "--python", "python3.1", "--libraries", LIBRARIES],
        env=machine.environment(), stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    half = machine.versions / VERSION / "half"
    while not half.exists() and process.poll() is None:
        time.sleep(0.05)
    assert half.exists()
    os.killpg(process.pid, number)

    assert 0 != process.wait(20)
    assert not half.parent.exists()


def test_uninstalling_keeps_what_the_site_keeps_unless_told(release: Path, tmp_path: Path) -> None:
    """Each is asked about; nothing but what was installed is gone."""
    machine = make_machine(tmp_path / "root")
    assert 0 == machine.install(release).returncode
    assert 0 == machine.postern("vehicle", "add", "AB123").returncode
    script = str(machine.versions / "current" / "uninstall")
    asked = machine.run("sh", script, "--root", str(machine.root), answer="\n")
    assert (6, True) == (asked.returncode, "Nothing was changed." in asked.stderr)
    assert 0 == machine.postern("check").returncode

    kept = machine.run("sh", script, "--root", str(machine.root), answer="y\n")
    assert 0 == kept.returncode, kept.stderr
    assert (machine.data / "keys.db").exists()
    assert (machine.root / "etc" / "postern" / "site.toml").exists()
    assert not machine.versions.exists()
    assert [] == list((machine.root / "etc" / "systemd" / "system").iterdir())
    assert [] == list((machine.root / "usr" / "local" / "bin").iterdir())

    # What `systemctl edit postern` writes is the operator's, and stays with site.toml.
    edited = machine.root / "etc" / "systemd" / "system" / "postern.service.d"
    edited.mkdir()
    purge = ["sh", str(ROOT / "packaging" / "uninstall"), "--purge", "--root", str(machine.root)]
    assert 0 == machine.run(*purge, answer="y\n").returncode
    assert not machine.data.exists()
    assert not (machine.root / "etc" / "postern").exists()
    assert not edited.exists()


def _stand_in(machine: Machine, name: str, script: str) -> None:
    path = machine.root / "sbin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("program", "does", "said"),
    [
        ("python3.1", "exit 1", "Postern needs Python 3.11 or newer."),
        ("python3.1", 'case "$*" in *ensurepip*) exit 1 ;; esac', "Python's venv is missing."),
        ("df", "echo; echo / 1 1 1024 1", "There is too little room in"),
    ],
)
def test_what_keeps_it_from_installing_is_said(
    release: Path, tmp_path: Path, program: str, does: str, said: str
) -> None:
    """One sentence, what to do, and nothing half installed."""
    machine = make_machine(tmp_path / "root")
    _stand_in(machine, program, does)
    python = ["--python", program] if program != "df" else []
    done = machine.install(release, *python)

    assert 1 == done.returncode
    first, remedy = done.stderr.splitlines()
    assert first.startswith(f"install: {said}")
    assert remedy.startswith("  ")
    assert not (machine.versions / VERSION).exists()


def test_unknown_python_option_and_folder_are_said(release: Path, tmp_path: Path) -> None:
    """Wrong usage ends with another code."""
    machine = make_machine(tmp_path / "root")
    told = machine.install(release, "--python", "python9")
    assert (1, True) == (told.returncode, "There is no program python9." in told.stderr)
    told = machine.install(release, "--colour")
    assert (2, True) == (told.returncode, "There is no option --colour." in told.stderr)
    told = machine.install(release, "--root")
    assert (2, True) == (told.returncode, "The option --root needs a value." in told.stderr)
    shutil.copytree(release / "packaging", tmp_path / "alone" / "packaging")
    told = machine.install(tmp_path / "alone")
    assert (1, True) == (told.returncode, "is no release of Postern." in told.stderr)


def test_the_system_is_changed_by_root_only(tmp_path: Path) -> None:
    """Whoever forgot to say sudo hears so, before anything is looked at."""
    if os.getuid() != 0:
        users: list[str] = []
    elif shutil.which("setpriv"):
        users = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    else:
        missing("setpriv")
    shutil.copytree(ROOT / "packaging", tmp_path / "release" / "packaging")
    for path in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        path.chmod(0o755)
    for script, remedy in (("install", "packaging/install"), ("uninstall", "uninstall")):
        given = ["sh", str(tmp_path / "release" / "packaging" / script)]
        told = subprocess.run([*users, *given], capture_output=True, text=True, check=False)
        assert 1 == told.returncode
        assert f"{script}: It has to be run as root." in told.stderr
        assert "Run: sudo " in told.stderr
        assert told.stderr.rstrip().endswith(remedy)


def test_without_a_network_the_wheels_beside_it_are_taken_by_their_hash(
    release: Path, tmp_path: Path
) -> None:
    """Attack: one of them was altered. Nothing is installed of it."""
    offline = tmp_path / "offline"
    shutil.copytree(release, offline)
    wheel = offline / "wheels" / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in _WHEEL.items():
            archive.writestr(name, content)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (offline / "requirements" / "build.txt").write_text("")
    locked = f"tiny==1.0 \\\n    --hash=sha256:{digest}\n"
    (offline / "requirements" / "run.txt").write_text(locked)
    machine = make_machine(tmp_path / "root")
    script = ["sh", str(offline / "packaging" / "install"), "--root", str(machine.root)]
    done = machine.run(*script, PYTHONPATH=LIBRARIES)
    assert 0 == done.returncode, done.stderr
    used = machine.run(str(machine.versions / VERSION / "bin" / "python"), "-c", "import tiny")
    assert 0 == used.returncode

    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("more.py", "import socket\n")
    other = make_machine(tmp_path / "other")
    script[-1] = str(other.root)
    told = other.run(*script, PYTHONPATH=LIBRARIES)
    assert 1 == told.returncode
    assert "install: The libraries could not be installed." in told.stderr
    # Nor is the room taken that a service needs.
    assert not (other.versions / VERSION).exists()
    assert not (other.versions / "current").exists()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_hold_what_a_shell_can_be_asked_about(script: Path) -> None:
    """No warning of shellcheck's; each ends at its first failure."""
    assert "\nset -eu\n" in script.read_text("utf-8")
    if shutil.which("shellcheck") is None:
        missing("shellcheck")
    told = subprocess.run(["shellcheck", str(script)], capture_output=True, text=True, check=False)

    assert "" == told.stdout


def test_units_are_what_systemd_understands(installed: Machine) -> None:
    """Every line of them, and the programs that they start are there."""
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze")
    units = installed.root / "etc" / "systemd" / "system"
    for unit in sorted(units.iterdir()):
        copy = installed.root / "run" / unit.name
        copy.parent.mkdir(exist_ok=True)
        text = unit.read_text("utf-8").replace("/opt/postern", str(installed.versions))
        copy.write_text(text.replace("User=postern", "User=root"), "utf-8")
        told = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(copy)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (0, "") == (told.returncode, told.stderr), unit.name


def _times(root: Path) -> dict[str, int]:
    """When each of the installed files was last changed; what Python compiles is left out."""
    return {
        str(path): path.lstat().st_mtime_ns
        for path in root.rglob("*")
        if not path.is_dir() and "__pycache__" not in path.parts and "sbin" not in path.parts
    }
