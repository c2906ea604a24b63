"""``bluesky-gp agent``: a process that decides for sessions on other machines."""

import click


@click.command()
@click.option(
    "--documents", default="localhost:5568", show_default=True, metavar="HOST:PORT",
    help="bluesky's 0MQ proxy, its side for subscribers.",
)  # fmt: skip
@click.option(
    "--listen", default="127.0.0.1:5570", show_default=True, metavar="ADDRESS:PORT",
    help="Where to answer; 0.0.0.0:5570 for other machines.",
)  # fmt: skip
def agent(documents: str, listen: str) -> None:
    """Decide where to measure for sessions that ask, each with a RemoteAgent; Ctrl-C ends it.

    All settings come with a run. Whoever reaches its address may have it compute.
    """
    try:
        from bluesky_gp.remote import AgentServer
    except ImportError as error:
        raise click.UsageError(f"the agent needs 0MQ: pip install 'bluesky_gp[remote]' ({error})") from error
    from zmq import ZMQError

    try:
        server = AgentServer(documents, listen)
    except ZMQError as error:
        raise click.UsageError(f"cannot listen at {listen} or hear {documents}: {error}") from error
    click.echo(f"answers at {listen}, hears documents from {documents}; Ctrl-C ends it")
    server.serve()
