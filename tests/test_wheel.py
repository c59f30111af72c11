"""`pip install .` gives the same program: the wheel, built from the sdist, plays elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile

import gan808

CHECKOUT = Path(__file__).resolve().parent.parent


def run(*command: str | Path, cwd: Path, home: Path) -> str:
    """Standard output of a command with a home of its own; asserts that it went well."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("XDG_", "PYTHONPATH", "GAN808_"))}
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, check=False, capture_output=True, text=True,
        timeout=240, env={**environment, "HOME": str(home), "COLUMNS": "100"},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@dataclass(frozen=True)
class Installed:
    """The wheel in a virtual environment, and an empty folder to work in."""

    sdist: Path
    wheel: Path
    bin: Path
    elsewhere: Path

    def gan808(self, *arguments: str | Path) -> str:
        return run(self.bin / "gan808", *arguments, cwd=self.elsewhere, home=self.elsewhere)

    def python(self, code: str) -> str:
        return run(self.bin / "python", "-c", code, cwd=self.elsewhere, home=self.elsewhere)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build sdist and wheel, install the wheel alone; libraries come from where tests run."""
    built, folder, elsewhere = (tmp_path_factory.mktemp(name) for name in ("d", "v", "e"))
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", built, CHECKOUT,
        cwd=built, home=elsewhere)
    (sdist,), (wheel,) = built.glob("*.tar.gz"), built.glob("*.whl")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    run(sys.executable, "-m", "pip", "--python", scripts / "python", "install", "--quiet",
        "--no-deps", "--no-index", wheel, cwd=built, home=elsewhere)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run(scripts / "python", "-c", code, cwd=built, home=elsewhere).strip())
    # A path in a .pth file does not process the .pth files in it: an editable gan808 stays out.
    libraries = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (site / "libraries.pth").write_text("\n".join(libraries) + "\n", encoding="utf-8")
    return Installed(sdist, wheel, scripts, elsewhere)


def test_the_installed_program_is_the_wheels(installed: Installed) -> None:
    where = Path(installed.python("import gan808; print(gan808.__file__)").strip())
    assert where.is_relative_to(installed.bin.parent)
    assert gan808.__version__ in installed.gan808("version")


def test_kits_and_settings_travel(installed: Installed) -> None:
    names = set(zipfile.ZipFile(installed.wheel).namelist())
    shipped = {f"gan808/_data/{path.relative_to(CHECKOUT).as_posix()}"
               for path in (CHECKOUT / "kits").rglob("*")
               if path.is_file() and path.name != "report.html"}  # written by `gan808 evaluate`
    for name in ("gan808", "acoustic"):
        assert f"gan808/_data/kits/{name}/kit.toml" in shipped
    assert shipped | {"gan808/_data/config.toml"} <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"gan808", "gan808_training"}
    listed = installed.gan808("kits", "list")
    assert all(name in listed for name in ("gan808", "acoustic"))


def test_every_pattern_travels(installed: Installed) -> None:
    patterns = {path.relative_to(CHECKOUT).as_posix()
                for path in (CHECKOUT / "gan808" / "sequencer" / "patterns").glob("*.toml")}
    assert patterns
    assert patterns <= set(zipfile.ZipFile(installed.wheel).namelist())


def test_it_renders_from_another_folder(installed: Installed) -> None:
    out = installed.elsewhere / "sounds"
    installed.gan808("render", "--kit", "gan808", "--class", "kick", "--seed", "7", "--count", "2",
                     "--out", out)
    sounds = [soundfile.read(path, dtype="float32")[0] for path in sorted(out.glob("*.wav"))]
    assert len(sounds) == 2
    assert all(0.05 < abs(audio).max() <= 1.0 for audio in sounds)
    assert not (sounds[0].shape == sounds[1].shape and (sounds[0] == sounds[1]).all())


def test_training_travels_under_a_name_of_its_own(installed: Installed) -> None:
    assert "--kit" in installed.gan808("train", "--help")
    code = ("import importlib.util, gan808_training.cli; "
            "print(gan808_training.__file__, importlib.util.find_spec('training'))")
    where, there = installed.python(code).split(maxsplit=1)
    assert Path(where).is_relative_to(installed.bin.parent)
    assert there.strip() == "None"


def test_the_player_goes_without_trainings_libraries(installed: Installed) -> None:
    """What `[train]` brings is switched off: sounds are rendered, training says what to install."""
    code = ("import sys; sys.modules.update(dict.fromkeys(%r)); "
            "from gan808.cli.main import call; "
            "print(call(['render', '--class', 'kick', '--seed', '7']), "
            "call(['prepare', 'synth:4']))")
    training = ["tensorflow", "keras", "jax", "matplotlib", "PIL", "sklearn", "tensorboardX",
                "librosa"]
    result = subprocess.run(
        [installed.bin / "python", "-c", code % training], cwd=installed.elsewhere, check=False,
        capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": "", "HOME": str(installed.elsewhere)},
    )
    assert result.stdout.splitlines()[-1] == "0 1", result.stderr
    (line,) = result.stderr.splitlines()
    assert "pip install 'gan808[train]'" in line


def test_the_sdist_holds_what_the_tests_need(installed: Installed) -> None:
    with tarfile.open(installed.sdist) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert {"tests/test_wheel.py", "Makefile", ".ci/run", "config.toml", "LICENSE",
            "kits/gan808/kit.toml"} <= names
