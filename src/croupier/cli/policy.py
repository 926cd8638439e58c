import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from croupier.cli.connection import client_settings, connection_options, run
from croupier.cli.exits import Exit
from croupier.cli.terminal import print_json, printable
from croupier.settings.policy_file import PolicyFiles, read_policy_files


@click.group(short_help="Keep roles and bindings as files, and apply them")
def command() -> None:
    """Keep roles and bindings as YAML files, in git, and apply them."""


@command.command()
@click.argument("path", metavar="FILE|DIR", type=click.Path(path_type=Path, exists=True))
@click.option("--dry-run", is_flag=True, help="only show what would change")
@click.option("--prune", is_flag=True, help="remove the roles and bindings that are not written")
@click.option("--yes", is_flag=True, help="do not ask before something is removed")
@connection_options
@click.pass_context
def apply(
    context: click.Context, /, path: Path, dry_run: bool, prune: bool, yes: bool, as_json: bool, **flags: Any
) -> None:
    """Bring roles and bindings to what FILE, or all YAML files of DIR, say; all at once or not at all."""
    found = read_policy_files(path)
    if found.faults:
        for fault in sorted(found.faults):
            click.echo(printable(str(fault)), err=True)
        context.exit(Exit.USAGE)
    settings, body = client_settings(**flags), _body(found)
    if prune and not dry_run and not yes:
        if as_json:
            raise click.UsageError("with --json nobody is asked: say --yes")
        before = run(
            "nothing is changed",
            settings,
            lambda client: client.put(_path(dry_run=True, prune=True), body),
            as_json=False,
        )
        removed = [*before.get("removed_roles", ()), *before.get("removed_bindings", ())]
        if removed:
            _show(before)
            click.confirm(f"{len(removed)} of these are removed. Go on?", abort=True)
    answer = run(
        "nothing is changed",
        settings,
        lambda client: client.put(_path(dry_run=dry_run, prune=prune), body),
        as_json=as_json,
    )
    if as_json:
        print_json(answer)
    else:
        _show(answer)
        click.echo(_conclusion(answer, dry_run=dry_run), err=True)


@command.command()
@connection_options
def export(as_json: bool, **flags: Any) -> None:
    """Print roles and bindings as a file that can be applied."""
    found = run("no policy", client_settings(**flags), lambda client: client.ask("/api/policy", {}), as_json=as_json)
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(_lines(found)))


def _path(*, dry_run: bool, prune: bool) -> str:
    return f"/api/policy?dry_run={str(dry_run).lower()}&prune={str(prune).lower()}"


def _body(found: PolicyFiles) -> dict[str, Any]:
    return {
        "roles": [
            {"name": role.name, "permissions": sorted(role.permissions), "description": role.description}
            for role in found.roles.values()
        ],
        "bindings": [
            {"subject": each.subject, "role": each.role, "game_id": each.game_id, "env": each.env}
            for each in found.bindings
        ],
    }


def _show(answer: dict[str, Any]) -> None:
    for mark, key in (("+", "added_roles"), ("-", "removed_roles")):
        for role in answer.get(key, ()):
            click.echo(printable(f"{mark} role {role['name']}: {', '.join(role['permissions']) or 'nothing'}"))
    for change in answer.get("changed_roles", ()):
        before, after = set(change["before"]["permissions"]), set(change["after"]["permissions"])
        parts = [f"+{each}" for each in sorted(after - before)] + [f"-{each}" for each in sorted(before - after)]
        click.echo(printable(f"~ role {change['after']['name']}: {', '.join(parts) or 'its description'}"))
    for mark, key in (("+", "added_bindings"), ("-", "removed_bindings")):
        for each in answer.get(key, ()):
            click.echo(printable(f"{mark} {each['subject']} is {each['role']} in {each['game_id']}|{each['env']}"))


def _conclusion(answer: dict[str, Any], *, dry_run: bool) -> str:
    if answer.get("applied"):
        return "applied"
    changes = any(value for value in answer.values() if isinstance(value, list))
    return "nothing was changed: a dry run" if dry_run and changes else "nothing to change"


def _lines(found: dict[str, Any]) -> Iterator[str]:
    """YAML, with every text quoted as in JSON, which is YAML too."""
    yield "roles:" if found.get("roles") else "roles: {}"
    for role in found.get("roles", ()):
        yield f"  {role['name']}:"
        if role["description"]:
            yield f"    description: {_quoted(role['description'])}"
        yield f"    permissions: [{', '.join(_quoted(each) for each in role['permissions'])}]"
    yield "bindings:" if found.get("bindings") else "bindings: []"
    for each in found.get("bindings", ()):
        fields = ", ".join(f"{name}: {_quoted(each[name])}" for name in ("subject", "role", "game_id", "env"))
        yield f"  - {{{fields}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
