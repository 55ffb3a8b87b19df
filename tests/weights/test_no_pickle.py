"""Only the converter's sandbox may unpickle: nothing else of the program names a way to."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent.parent / "imagegen_desktop"
SANDBOX = PACKAGE / "engine" / "unpickle.py"
MODULES = {
    "pickle",
    "cPickle",
    "_pickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "tarfile",
    "pickletools",
}


def ways_to_unpickle(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.split(".", maxsplit=1)[0] in MODULES}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".", maxsplit=1)[0] in MODULES:
            found.add(node.module)
        elif isinstance(node, ast.Call):
            call = ast.unparse(node.func)
            words = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            risky = words.get("allow_pickle") == "True" or words.get("trust_remote_code") == "True"
            risky = risky or words.get("weights_only") == "False" or words.get("use_safetensors") == "False"
            if risky or call in ("torch.load", "torch.jit.load", "torch.export.load", "torch.package.PackageImporter"):
                found.add(call)
    return found


def test_only_the_sandbox_unpickles() -> None:
    found = {str(file.relative_to(PACKAGE)): ways_to_unpickle(file) for file in PACKAGE.rglob("*.py")}
    assert {name for name, ways in found.items() if ways} == {str(SANDBOX.relative_to(PACKAGE))}
    assert found[str(SANDBOX.relative_to(PACKAGE))] == {"torch.load"}
