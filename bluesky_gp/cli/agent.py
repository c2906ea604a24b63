"""``bluesky-gp agent``: a process that decides for sessions on other machines."""

import click


@click.command()
@click.option(
    "--documents", default="localhost:5568", show_default=True, metavar="HOST:PORT",
    help="bluesky's 0MQ proxy, its side for subscribers; or a NATS server, nats://HOST:4222.",
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
        from zmq import ZMQError

        from bluesky_gp.remote import AgentServer
    except ImportError as error:
        raise click.UsageError(f"the agent needs 0MQ: pip install 'bluesky_gp[remote]' ({error})") from error
    try:
        server = AgentServer(documents, listen)
    except ImportError as error:
        raise click.UsageError(
            f"documents over NATS need bluesky-nats: pip install 'bluesky_gp[nats]' ({error})"
        ) from error
    except ZMQError as error:
        raise click.UsageError(f"cannot listen at {listen} or hear {documents}: {error}") from error
    click.echo(f"answers at {listen}, hears documents from {server.documents}; Ctrl-C ends it")
    server.serve()
