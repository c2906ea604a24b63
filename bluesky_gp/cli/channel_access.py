"""The environment variables with which Channel Access servers and clients find each other."""

import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def client_environment(port: int, interface: str = LOOPBACK, repeater_port: int | None = None) -> dict[str, str]:
    """Return what a client of an IOC at `interface` and `port` needs, before it imports ophyd or epics."""
    environment = {
        "EPICS_CA_ADDR_LIST": interface,
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": str(port),
    }
    return environment if repeater_port is None else {**environment, "EPICS_CA_REPEATER_PORT": str(repeater_port)}


def server_environment(port: int, interface: str = LOOPBACK) -> dict[str, str]:
    """Return what an IOC needs, before it imports caproto and ophyd."""
    environment = {
        "EPICS_CA_SERVER_PORT": str(port),
        "OPHYD_CONTROL_LAYER": "dummy",  # the IOC is nobody's client: pyepics would open a port on every interface
        "CAPROTO_SERVER_HIGH_LOAD_WARN_LATENCY_SEC": "0",  # it warns whenever the computer is busy
        # caproto gathers updates for 10 ms where many come at once: half of the time of a pixel
        "CAPROTO_SERVER_HIGH_LOAD_TIMEOUT_SEC": os.environ.get("CAPROTO_SERVER_HIGH_LOAD_TIMEOUT_SEC", "0.001"),
    }
    if interface == LOOPBACK:
        environment |= {"EPICS_CAS_BEACON_ADDR_LIST": LOOPBACK, "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO"}
    return environment


def repeater_port(environment: Mapping[str, str]) -> int | None:
    """Return the port of the repeater, if the environment names one of its own."""
    port = environment.get("EPICS_CA_REPEATER_PORT")
    return int(port) if port else None


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface on which nothing listens, neither UDP nor TCP."""
    with ExitStack() as stack:
        ports: list[int] = []
        while len(ports) < count:
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            udp.bind((LOOPBACK, 0))
            port = udp.getsockname()[1]
            if is_free(LOOPBACK, port, socket.SOCK_STREAM):
                ports.append(port)
        return ports


def is_free(interface: str, port: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> bool:
    """Whether nothing listens there; two IOCs could share a UDP port, and one of them would not be found."""
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((interface, port))
        except OSError:
            return False
    return True
