"""The two wings never meet: no torch beside the window, no Qt beside the engine, and a machine checks the rule."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

WINDOW_AT_WORK = """
import json, sys, time
from pathlib import Path
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QPlainTextEdit, QSpinBox
from imagegen_desktop.ui.application import build

application, window = build([])

def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        application.processEvents()
        time.sleep(0.001)

window.findChild(QPlainTextEdit, "promptEdit").setPlainText("a fox")
generate = window.findChild(QAbstractButton, "generateButton")
gallery = window.findChild(QAbstractItemView, "galleryView")
until(generate.isEnabled)
window.findChild(QSpinBox, "stepsSpin").setValue(3)
generate.click()
until(lambda: gallery.model().rowCount() == 1)
engines = []
for process in Path("/proc").glob("[0-9]*"):
    try:
        if "--engine" in (process / "cmdline").read_text().split("\\0") and str(__import__("os").getpid()) in (
            process / "status"
        ).read_text().split("PPid:")[1].split("\\n")[0]:
            engines.append((process / "maps").read_text())
    except OSError:
        pass
print(json.dumps({
    "window": sorted(name for name in ("torch", "diffusers", "transformers", "numpy", "PIL") if name in sys.modules),
    "engine_has_qt": ["PySide6" in maps for maps in engines],
    "engine_has_torch": ["libtorch" in maps for maps in engines],
}))
window.close()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_torch_stays_out_of_the_window_and_qt_out_of_the_engine(environment: dict[str, str], tiny: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WINDOW_AT_WORK],
        env=environment | {"IMAGEGEN_DESKTOP_MODEL": str(tiny)}, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert not {"torch", "diffusers", "transformers"} & set(seen["window"])
    assert seen["engine_has_torch"] == [True]
    assert seen["engine_has_qt"] == [False]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("ui/theme.py", "from ..engine import worker"),
        ("services/queue.py", "import PySide6"),
        ("domain/request.py", "import torch"),
        ("database/jobs.py", "from ..storage import local"),
    ],
)
def test_a_planted_violation_breaks_the_import_rule(tmp_path: Path, file: str, line: str) -> None:
    shutil.copytree(
        ROOT / "imagegen_desktop", tmp_path / "imagegen_desktop", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    linter = [str(Path(sys.executable).parent / "lint-imports"), "--config", "pyproject.toml", "--no-cache"]
    planted = tmp_path / "imagegen_desktop" / file
    text = planted.read_text()
    planted.write_text(
        text.replace("from __future__ import annotations\n", f"from __future__ import annotations\n\n{line}\n")
    )
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    broken = subprocess.run(linter, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert broken.returncode == 1
    assert "BROKEN" in broken.stdout
