"""``bluesky-gp verify``: the contract of a recorded run, clause by clause, yes or no."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from bluesky_gp.cli.catalogs import catalog_option
from bluesky_gp.cli.given import ANY, given_option, told
from bluesky_gp.cli.replay import recorded_documents
from bluesky_gp.cli.summary import to_json

if TYPE_CHECKING:
    from bluesky_gp.verify import Clause


@click.command()
@click.argument("uid")
@catalog_option
@click.option("--no-replay", is_flag=True, help="Do not make every decision again, which takes as long as they took.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
@given_option(*ANY)
@click.pass_context
def verify(context: click.Context, uid: str, place: str, no_replay: bool, as_json: bool, given: dict[str, Any]) -> None:
    """Check the recorded run UID clause by clause: yes or no, and a sentence with its numbers.

    UID may be shortened, a scan_id, "last", or the path of a journal. The exit code is 0 if every clause holds, else 1.
    """
    from bluesky_gp.verify import verify

    with recorded_documents(uid, place) as documents:
        clauses = verify(documents, replay=not no_replay, **given)
    holds = all(clause.holds for clause in clauses)
    if as_json:
        click.echo(to_json({"holds": holds, "clauses": [asdict(clause) for clause in clauses]}))
    else:
        _tell(clauses)
    context.exit(0 if holds else 1)


def _tell(clauses: "list[Clause]") -> None:
    for clause in clauses:
        click.echo(f"{'yes' if clause.holds else 'NO':4}{clause.name:16}{told(ValueError(clause.sentence))}")
