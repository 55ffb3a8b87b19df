"""API keys: the only door to the system's keyring. A key is never written anywhere else but into a file the artist
asked for, locked with a passphrase."""

from __future__ import annotations

import base64
import importlib
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from .domain.errors import BadInput, Problem
from .logs import hide
from .paths import sync_folder

SERVICE = "imagegen-desktop"
PASSPHRASE_VARIABLE = "IMAGEGEN_DESKTOP_KEY_PASSPHRASE"

#: Credentials by name, and the variable that overrides each for one run.
VARIABLES: dict[str, str] = {
    "openai": "OPENAI_API_KEY",
    "replicate": "REPLICATE_API_TOKEN",
    "writer": "IMAGEGEN_DESKTOP_WRITER_KEY",
    "huggingface": "HF_TOKEN",
}

#: The system's own keyrings. Any other backend, installed or configured, is never loaded.
TRUSTED = (
    ("keyring.backends.SecretService", "the system's Secret Service"),
    ("keyring.backends.libsecret", "the system's keyring (libsecret)"),
    ("keyring.backends.kwallet", "KWallet"),
    ("keyring.backends.macOS", "the macOS keychain"),
    ("keyring.backends.Windows", "the Windows credential store"),
)
_CLASSES = {"keyring.backends.kwallet": "DBusKeyring", "keyring.backends.Windows": "WinVaultKeyring"}

_LONGEST_KEY = 4096
_SCRYPT_COST = 2**17


class Keyring(Protocol):
    """What a keyring of the system does."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


class KeyProblem(Problem):
    """A key cannot be kept or read."""

    kind = "key_store"


def system_keyring() -> tuple[Keyring, str] | None:
    """The trusted keyring that works on this machine, and its name for people; None where there is none."""
    for module, title in TRUSTED:
        try:
            backend = getattr(importlib.import_module(module), _CLASSES.get(module, "Keyring"))
            if backend.priority > 0:
                return backend(), title
        except _failures():
            continue
    return None


class KeyStore:
    """Keys by the name of their credential: this run's environment, this session, the system's keyring, the file.

    `ask_passphrase` answers for the locked file, or with nothing when nobody can be asked. Any thread may call.
    """

    def __init__(
        self,
        file: Path,
        keyring: Callable[[], tuple[Keyring, str] | None] = system_keyring,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.ask_passphrase: Callable[[], str] = lambda: environment.get(PASSPHRASE_VARIABLE, "")
        self._file = KeyFile(file)
        self._find_keyring = keyring
        self._environment = environment
        self._session: dict[str, str] = {}
        self._found: list[tuple[Keyring, str] | None] = []
        self._lock = threading.RLock()

    def get(self, name: str) -> str:
        """The key, empty when there is none; raises KeyProblem when there is one that cannot be read."""
        for value in (self._environment.get(_variable(name), "").strip(), self._session.get(name, "")):
            if value:
                hide(value)
                return value
        with self._lock:
            value = self._from_keyring(name)
            if not value and name in self._file.names():
                value = self._file.read(name, self._passphrase())
                self._session[name] = value
        hide(value)
        return value

    def where(self, name: str) -> str:
        """Where the key of that name is kept, in words; empty when there is none. Opens nothing."""
        if self._environment.get(_variable(name), "").strip():
            return f"the environment ({_variable(name)}), for this run"
        if name in self._file.names():
            return "the file locked with a passphrase"
        if name in self._session:
            return "this session only"
        with self._lock:
            found = self._keyring()
            return found[1] if found is not None and self._from_keyring(name) else ""

    def store_title(self) -> str:
        """Where a new key would be kept, in words."""
        found = self._keyring()
        return found[1] if found is not None else "this session only"

    @property
    def is_forgetful(self) -> bool:
        """Whether a new key would be forgotten at the end of this session."""
        return self._keyring() is None

    def set(self, name: str, value: str, in_file: bool = False) -> str:
        """Keeps a key and says where: the keyring, else this session only; or, by explicit choice, the file."""
        value = _checked(name, value)
        hide(value)
        with self._lock:
            self.remove(name)
            found = self._keyring()
            if in_file:
                self._file.write(name, value, self._passphrase())
            elif found is not None:
                with _key_problems(found[1]):
                    found[0].set_password(SERVICE, name, value)
            else:
                self._session[name] = value
        return self.where(name)

    def remove(self, name: str) -> bool:
        """Forgets a key wherever it is kept; False when there was none. The environment is not ours to change."""
        _variable(name)
        with self._lock:
            was_there = self._session.pop(name, None) is not None
            was_there = self._file.remove(name) or was_there
            found = self._keyring()
            if found is not None and self._from_keyring(name):
                with _key_problems(found[1]):
                    found[0].delete_password(SERVICE, name)
                was_there = True
        return was_there

    def _keyring(self) -> tuple[Keyring, str] | None:
        with self._lock:
            if not self._found:
                self._found = [self._find_keyring()]
            return self._found[0]

    def _from_keyring(self, name: str) -> str:
        found = self._keyring()
        if found is None:
            return ""
        with _key_problems(found[1]):
            return found[0].get_password(SERVICE, name) or ""

    def _passphrase(self) -> str:
        passphrase = self.ask_passphrase()
        if not passphrase:
            raise KeyProblem("The file with your keys is locked.", f"Set {PASSPHRASE_VARIABLE}, or unlock it.")
        return passphrase


class KeyFile:
    """Keys in a file, each sealed with AES-GCM under a key that scrypt makes of a passphrase."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> tuple[str, ...]:
        return tuple(self._load().get("keys", {}))

    def read(self, name: str, passphrase: str) -> str:
        from cryptography.exceptions import InvalidTag

        values = self._load()
        try:
            sealed = base64.b64decode(values["keys"][name])
            opened = _cipher(values, passphrase).decrypt(sealed[:12], sealed[12:], name.encode())
        except InvalidTag:
            raise KeyProblem("The passphrase does not open the file with your keys.", "Try again.") from None
        except (KeyError, ValueError, TypeError) as error:
            raise KeyProblem(f"{self._path} is damaged.", "Remove it and enter the keys again.") from error
        return str(opened, "utf-8")

    def write(self, name: str, value: str, passphrase: str) -> None:
        """Adds a key; the passphrase has to be that of the keys already there."""
        values = self._load() or {"salt": base64.b64encode(secrets.token_bytes(16)).decode(), "keys": {}}
        for other in values["keys"]:
            self.read(other, passphrase)
            break
        nonce = secrets.token_bytes(12)
        sealed = nonce + _cipher(values, passphrase).encrypt(nonce, value.encode(), name.encode())
        self._save(values | {"keys": values["keys"] | {name: base64.b64encode(sealed).decode()}})

    def remove(self, name: str) -> bool:
        values = self._load()
        if name not in values.get("keys", {}):
            return False
        del values["keys"][name]
        if values["keys"]:
            self._save(values)
        else:
            self._path.unlink(missing_ok=True)
        return True

    def _load(self) -> dict[str, Any]:
        try:
            values = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise KeyProblem(f"{self._path} cannot be read.", "Remove it and enter the keys again.") from error
        return values if isinstance(values, dict) else {}

    def _save(self, values: dict[str, Any]) -> None:
        part = self._path.with_suffix(".part")
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(values, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise KeyProblem(f"{self._path} cannot be written: {error.strerror}.") from error


def _cipher(values: Mapping[str, Any], passphrase: str) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    salt = base64.b64decode(values["salt"])
    return AESGCM(Scrypt(salt=salt, length=32, n=_SCRYPT_COST, r=8, p=1).derive(passphrase.encode()))


def _variable(name: str) -> str:
    if name not in VARIABLES:
        raise BadInput("key", name, "one of " + ", ".join(VARIABLES))
    return VARIABLES[name]


def _checked(name: str, value: str) -> str:
    """The key without the spaces and line breaks that come along with copying; never echoed."""
    _variable(name)
    value = value.strip()
    if not value or len(value) > _LONGEST_KEY or not value.isascii() or not value.isprintable() or " " in value:
        raise BadInput("key", "what was entered", "one word of letters, digits and signs, as the provider shows it")
    return value


@contextmanager
def _key_problems(title: str) -> Iterator[None]:
    try:
        yield
    except _failures() as error:
        raise KeyProblem(f"{title} refused: {type(error).__name__}.", "Unlock it and try again.") from None


def _failures() -> tuple[type[Exception], ...]:
    """What the libraries behind a keyring raise when it is locked, gone or never was."""
    kinds: list[type[Exception]] = [OSError, RuntimeError, ValueError, ImportError, AttributeError]
    for module, name in (
        ("keyring.errors", "KeyringError"),
        ("secretstorage.exceptions", "SecretStorageException"),
        ("jeepney.wrappers", "DBusErrorResponse"),
    ):
        try:
            kinds.append(getattr(importlib.import_module(module), name))
        except ImportError:
            continue
    return tuple(kinds)
