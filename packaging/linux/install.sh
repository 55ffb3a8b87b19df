#!/usr/bin/env bash
# Sets up ImageGen Desktop from a checkout: the system libraries Qt needs, a virtual environment of its own,
# and the command `imagegen-desktop` on the PATH.   --dev adds what the check command needs.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
extras=""
[ "${1:-}" = "--dev" ] && extras="[dev]"

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# --- system libraries (Debian and its relatives; elsewhere `imagegen-desktop doctor` names what is missing) ---
packages=(libegl1 libgl1 libopengl0 libxkbcommon0 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1 libxcb-cursor0
    libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xkb1
    libxcb-xinerama0 fonts-dejavu-core)
[ -n "$extras" ] && packages+=(xvfb strace)
if command -v apt-get >/dev/null; then
    missing=()
    for package in "${packages[@]}"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        echo "Installing system libraries: ${missing[*]}"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    fi
fi

# --- Python, in an environment of our own ---
python=""
for candidate in python3.11 python3.12 python3.13 python3; do
    if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python="$candidate"; break; fi
done
[ -n "$python" ] || { echo "Python 3.11 or newer with venv is needed." >&2; exit 1; }
[ -x "$here/.venv/bin/python" ] || "$python" -m venv "$here/.venv"
echo "Installing the program (PyTorch is large; the first time takes a few minutes)"
"$here/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$here$extras"

# --- the command ---
bin="$HOME/.local/bin"
[ -w /usr/local/bin ] && bin=/usr/local/bin
mkdir -p "$bin"
ln -sf "$here/.venv/bin/imagegen-desktop" "$bin/imagegen-desktop"
case ":$PATH:" in *":$bin:"*) ;; *) echo "Add $bin to your PATH to type: imagegen-desktop" ;; esac
