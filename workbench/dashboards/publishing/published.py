"""What publishing gives back: a dashboard that stands, as a notebook shows it. Made by publishing."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from ..bundle import Bundle
from ..dashboard import Dashboard
from .checks import Finding


@dataclass(frozen=True)
class Published:
    """A dashboard that stands."""

    slug: str
    #: The version's bundle.
    folder: Path
    #: False where nothing was made: the run had been published before, or nothing would look different.
    new: bool = True
    #: What whoever publishes should know.
    warnings: tuple[Finding, ...] = ()
    #: Address for who has the link, where one was made now; it can be read nowhere else.
    link: str | None = None

    @property
    def url_path(self) -> str:
        """Its address on any server of the gallery."""
        return f"/d/{self.slug}/"

    @property
    def version(self) -> int:
        """Number of the version, from 1."""
        return Bundle(self.folder).number

    @property
    def dashboard(self) -> Dashboard:
        """The dashboard: its versions, and what was decided of it."""
        return Dashboard(self.folder.parent.parent)

    def write_bundle(self, path: str | Path) -> Path:
        """Write one file that another centre can serve, as ``genai4eu publish --bundle`` does.

        Raises
        ------
        WorkbenchError
            If the file cannot be written, or is there and no bundle.
        """
        from .archive import pack

        return pack(Bundle(self.folder), Path(path))

    def write_html(self, path: str | Path, language: str | None = None) -> Path:
        """Write one page that needs nothing else, for e-mail or a USB stick, as ``genai4eu publish --html`` does.

        Raises
        ------
        WorkbenchError
            If the file cannot be written.
        """
        from .single import write

        return write(Bundle(self.folder), Path(path), language)

    def about(self) -> dict[str, Any]:
        """Return what scripts are told."""
        site = self.dashboard.site
        return {
            "slug": self.slug,
            "folder": str(self.folder),
            "path": self.url_path,
            "new": self.new,
            "version": self.version,
            "current": site["current"],
            "visibility": site["visibility"],
            "expires": site["expires"],
            "link": self.link,
            "warnings": [warning.sentence for warning in self.warnings],
        }

    def _repr_html_(self) -> str:
        """Return a small card; styled inline with the colours of JupyterLab, which knows no sheet of ours."""
        title = escape(str(Bundle(self.folder).info["question"]))
        address = f'<code style="overflow-wrap: anywhere">{self.link or self.url_path}</code>'
        return (
            '<div style="border: 1px solid var(--jp-border-color1, #bbb); border-radius: 4px; padding: 12px 16px; '
            'max-width: 36em; font-family: var(--jp-ui-font-family, sans-serif)">'
            f'<p style="margin: 0 0 4px; font-weight: 600; overflow-wrap: anywhere">{title}</p>'
            f'<p style="margin: 0">{self.sentence} at {address}. Type <code>genai4eu serve</code> to open the gallery.'
            "</p></div>"
        )

    @property
    def sentence(self) -> str:
        """What was done, in words that an address can follow."""
        if not self.new:
            return f"Already published as version {self.version}"
        return "Published" if self.version == 1 else f"Published as version {self.version}"
