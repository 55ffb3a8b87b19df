"""Makes the starter model's packages importable; they are scripts, not part of the application."""

import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "packaging" / "starter_model"))

_NEEDS = {
    "test_starter_detector.py": ("scipy",),
    "test_starter_tokenizer.py": ("transformers",),
    "test_starter_training.py": ("torch", "diffusers", "transformers"),
    "test_starter_folder.py": ("torch", "diffusers", "transformers"),
}
collect_ignore = [name for name, needs in _NEEDS.items() if not all(find_spec(package) for package in needs)]
