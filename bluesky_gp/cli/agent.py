"""``bluesky-gp agent``: a process that decides for sessions on other machines."""

from urllib.parse import urlsplit

import click

from bluesky_gp.cli.loopback import is_loopback

_BEYOND = (
    "{listen} is reached from other machines, and there is no password: whoever reaches it may have this process "
    "compute, and read what it decides. Leave --listen at 127.0.0.1 and have the session reach it by a tunnel, ssh -N "
    "-L 5570:localhost:5570 -L 5567:localhost:5567 THIS_MACHINE; or say --no-password, where the network is yours alone"
)


@click.command()
@click.option(
    "--documents", default="localhost:5568", show_default=True, metavar="HOST:PORT",
    help="bluesky's 0MQ proxy, its side for subscribers; or a NATS server, nats://HOST:4222.",
)  # fmt: skip
@click.option(
    "--listen", default="127.0.0.1:5570", show_default=True, metavar="ADDRESS:PORT",
    help="Where to answer.",
)  # fmt: skip
@click.option("--no-password", is_flag=True, help="Answer other machines too, though anybody may then ask.")
def agent(documents: str, listen: str, no_password: bool) -> None:
    """Decide where to measure for sessions that ask, each with a RemoteAgent; Ctrl-C ends it.

    All settings come with a run. It answers this machine only, as there is no password; sessions on others reach it by
    an ssh tunnel.
    """
    if not (no_password or _is_private(listen)):
        raise click.UsageError(_BEYOND.format(listen=listen))
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


def _is_private(listen: str) -> bool:
    """Return whether only this machine reaches an address of 0MQ; of those by name, ipc for one, only it does."""
    address = urlsplit(listen if "://" in listen else f"tcp://{listen}")
    return address.scheme in ("ipc", "inproc") or is_loopback(address.hostname or "*")
