"""Documents on their way to an agent elsewhere, where something is amiss."""

import sys

import pytest
from click.testing import CliRunner

from bluesky_gp.cli.agent import agent
from bluesky_gp.cli.channel_access import free_ports
from bluesky_gp.remote import nats_wire
from bluesky_gp.remote.wires import DocumentPublisher, shown


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("host:5567", "host:5567"),
        ("nats://host:4222", "nats://host:4222"),
        ("nats://me:secret@host:4222", "nats://host:4222"),
        ("tls://token@host", "tls://host"),
    ],
)
def test_a_password_in_an_address_is_not_shown(address, plain):
    assert shown(address) == plain


def test_documents_that_no_nats_server_takes_are_lost_with_one_warning_a_kind(caplog, monkeypatch):
    monkeypatch.setattr(nats_wire, "_CONNECTING", 0.05)
    publisher = DocumentPublisher(f"nats://me:secret@127.0.0.1:{free_ports(1)[0]}")
    for _ in range(2):
        publisher.probe("token")
    publisher.close()
    (warning,) = caplog.messages
    assert f"a document, bulk_events, is not published to {publisher.address}: " in warning
    assert "secret" not in warning


def test_the_agent_without_bluesky_nats_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ormsgpack", None)
    result = CliRunner().invoke(agent, ["--documents", "nats://127.0.0.1:4222"])
    assert result.exit_code == 2
    assert "pip install 'bluesky_gp[nats]'" in result.output


@pytest.mark.parametrize("listen", ["0.0.0.0:5570", "*:5570", "tcp://192.168.1.7:5570", "[::]:5570", "beamline:5570"])
def test_an_address_that_others_reach_is_refused_with_the_tunnel_to_take_instead(listen):
    result = CliRunner().invoke(agent, ["--listen", listen])
    assert result.exit_code == 2
    assert f"{listen} is reached from other machines, and there is no password" in " ".join(result.output.split())
    assert "ssh -N -L 5570:localhost:5570" in " ".join(result.output.split())


@pytest.mark.parametrize("listen", ["127.0.0.1:", "tcp://localhost:", "[::1]:", "ipc://", "0.0.0.0:"])
def test_an_address_of_this_machine_and_one_that_a_person_opens_are_listened_at(listen, monkeypatch):
    served = []
    monkeypatch.setattr("bluesky_gp.remote.AgentServer", lambda *addresses: served.append(addresses) or Served())
    opened = ["--no-password"] if listen == "0.0.0.0:" else []
    result = CliRunner().invoke(agent, ["--listen", f"{listen}5570", *opened])
    assert result.exit_code == 0, result.output
    assert served == [("localhost:5568", f"{listen}5570")]


class Served:
    documents = "localhost:5568"

    def serve(self):
        """End at once."""
