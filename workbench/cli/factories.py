"""``genai4eu factories``: thin over ``genai4eu.kernels.factories``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import app
from .show import emit, table

if TYPE_CHECKING:
    from genai4eu.kernels.factories import Factory


@app.command("factories")
def factories(
    sector: Annotated[str | None, typer.Option(help="Only those of a sector, such as climate.")] = None,
    country: Annotated[str | None, typer.Option(help="Only those of a country: its code, such as SI.")] = None,
    template: Annotated[
        str | None, typer.Option("--for", help="Rank them for a template, by its sector and by what stands already.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with sites, sources and dates.")] = False,
) -> None:
    """List the AI Factories of Europe, and which of them you are connected to."""
    from genai4eu.kernels import factories as registry

    found = registry.select(sector, country)
    if template:
        order = registry.rank(_sector_of(template))
        found = [f for f in order if f in found]
    connected = _connected()
    if as_json:
        emit([_json(f, connected.get(f.id, [])) for f in found])
        return
    here = any(connected.get(f.id) for f in found)
    headings = ["factory", *(["connected"] if here else []), "sectors", "system", "host", "countries"]
    if found:
        table(headings, [_row(f, connected if here else None) for f in found])
    if country and (joined := registry.antennas().get(registry.code(country))) is not None:
        typer.echo(
            f"{country.upper()} has an AI Factory Antenna" + (f", joined to {joined}" if joined else ""), err=True
        )
    for source in dict.fromkeys(f.source for f in found):
        about = registry.registry()["sources"][source]
        typer.echo(f"source: {about['title']}, as of {about['as_of']}", err=True)
    typer.echo("next: ask the host for a gateway, then genai4eu connect NAME --url ADDRESS --token-file FILE", err=True)


def _sector_of(template: str) -> str:
    from genai4eu.kernels.factories import factories

    from ..catalogue import usecase
    from ..errors import WorkbenchError

    if any(template in factory.serves for factory in factories()):
        raise WorkbenchError(f"{template!r} is a sector and no template: type genai4eu factories --sector {template}")
    return usecase(template).sector


def _connected() -> dict[str, list[str]]:
    """Return the targets by factory."""
    from genai4eu.kernels import targets
    from genai4eu.kernels.factories import factory_of

    found: dict[str, list[str]] = {}
    for target in targets.all_targets():
        if target.gateway and (factory := factory_of(target.gateway, target.url)):
            found.setdefault(factory.id, []).append(target.name)
    return found


def _row(factory: Factory, connected: dict[str, list[str]] | None) -> list[str]:
    state = "announced" if factory.status == "announced" else factory.system_state
    system = f"{factory.system or 'not named'} ({state})"
    sectors = ", ".join(factory.serves) or ", ".join(factory.sectors[:3]) or "not named"
    here = [] if connected is None else [", ".join(connected.get(factory.id, [])) or "no"]
    return [factory.id, *here, sectors, system, factory.host or factory.name, " ".join(factory.countries)]


def _json(factory: Factory, connected: list[str]) -> dict[str, Any]:
    plain = {**dataclasses.asdict(factory), "as_of": str(factory.as_of), "connected": connected}
    plain["sites"] = [{**site, "as_of": str(site["as_of"])} for site in factory.sites]
    return plain
