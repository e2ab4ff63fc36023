"""Jupyter's own configuration, as far as signing in goes. Called by ``options``."""

from __future__ import annotations

from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import JSONFileConfigLoader, PyFileConfigLoader

from ...errors import WorkbenchError

_NAME = "jupyter_server_config"
#: Where ``jupyter server password`` may have put it.
_PROVIDERS = ("IdentityProvider", "PasswordIdentityProvider")
#: What whoever makes a dashboard private must know where nobody can sign in.
NOBODY = (
    "nobody can sign in yet: 'jupyter server password' sets one password for all, and "
    "'genai4eu serve --identity-provider' names who knows your visitors"
)


def configuration(file: Path | None) -> Config:
    """Return what a file says, or else ``jupyter_server_config`` in Jupyter's folders, the user's own last.

    Raises
    ------
    WorkbenchError
        If a file cannot be read, or is wrong.
    """
    found = Config()
    for path in [file] if file else _usual():
        found.merge(_read(path))
    _one_name(found)
    return found


def names_somebody(config: Config) -> bool:
    """Tell whether a configuration says who may sign in."""
    chosen = config.get("ServerApp", Config()).get("identity_provider_class")
    passwords = [config.get(name, Config()).get("hashed_password") for name in _PROVIDERS]
    return bool(chosen or any(passwords))


def signing_in() -> bool:
    """Tell whether a gallery that is served here, without further options, lets anybody sign in."""
    return names_somebody(configuration(None))


def _usual() -> list[Path]:
    from jupyter_core.paths import jupyter_config_path

    folders = [Path(folder) for folder in reversed(jupyter_config_path())]
    return [path for folder in folders for kind in ("py", "json") if (path := folder / f"{_NAME}.{kind}").is_file()]


def _read(path: Path) -> Config:
    loader = JSONFileConfigLoader if path.suffix == ".json" else PyFileConfigLoader
    try:
        return loader(path.name, str(path.parent)).load_config()
    except Exception as error:  # noqa: BLE001  # a configuration file in Python may raise anything
        raise WorkbenchError(
            f"the configuration {path} cannot be used ({type(error).__name__}: {error}): mend it, or name another file "
            "with --config"
        ) from None


def _one_name(config: Config) -> None:
    """Put a password where jupyter_server of today looks for it: earlier ones kept it in ``ServerApp.password``."""
    old = config.get("ServerApp", Config()).get("password")
    if isinstance(old, str) and old:
        config.PasswordIdentityProvider.setdefault("hashed_password", old)
