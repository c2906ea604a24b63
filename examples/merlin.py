"""A Merlin detector over its own protocol: two sockets, MPX messages, a frame a soft trigger.

Its frames become spectra of scattering angle: the sum over each ring about the middle. Tried against LiberTEM-live's
simulator on this machine, not against a detector:

    pip install libertem-live
    libertem-live-mib-sim FILE.hdr --nav-shape 1 1 --wait-trigger --host 127.0.0.1
"""

import socket
import threading
from typing import Any

import numpy as np
from ophyd.status import StatusBase

from bluesky_gp.devices import SpectrumDetectorBase
from bluesky_gp.status import DaemonExecutor

DTYPES = {"U08": ">u1", "U16": ">u2", "U32": ">u4"}


class MerlinDetector(SpectrumDetectorBase):
    """One frame a trigger, as counts by scattering angle in detector pixels; see `SpectrumDetectorBase`.

    Parameters
    ----------
    host : str
    control_port, data_port : int
    n_rings : int
        Channels of the spectrum, one detector pixel wide.
    timeout : float
        Seconds beyond the exposure.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        name: str,
        control_port: int = 6341,
        data_port: int = 6342,
        n_rings: int = 128,
        timeout: float = 60.0,
        scalarizers: Any = (),
        exposure: float = 0.01,
    ) -> None:
        self._data = socket.create_connection((host, data_port), timeout)
        self._control = socket.create_connection((host, control_port), timeout)
        self._timeout = timeout
        self._one_frame = threading.Lock()  # a frame that was given up still comes
        super().__init__(
            name=name,
            scalarizers=scalarizers,
            axis=np.arange(n_rings),
            axis_name="angle",
            axis_units="px",
            spectrum_units="counts",
            exposure=exposure,
        )

    def close(self) -> None:
        """Close both sockets."""
        self._control.close()
        self._data.close()

    def _expose(self, exposure: StatusBase) -> None:
        DaemonExecutor().submit(self._acquire, exposure, float(self.exposure.get()))

    def _acquire(self, exposure: StatusBase, seconds: float) -> None:
        try:
            with self._one_frame:
                frame = self._frame(seconds)
            self._deliver(exposure, rings(frame, len(self.axis.get())))
        except Exception as error:
            self._fail(exposure, RuntimeError(f"{self.name}: {error!r}"))

    def _frame(self, seconds: float) -> np.ndarray:
        self._data.settimeout(seconds + self._timeout)
        for command in (f"SET,ACQUISITIONTIME,{1000 * seconds:g}", "SET,NUMFRAMESTOACQUIRE,1", "CMD,STARTACQUISITION"):
            self._command(command)
        message(self._data)  # the header of the acquisition; the trigger comes after it, so the frame is a fresh one
        self._command("CMD,SOFTTRIGGER")
        return image(message(self._data))

    def _command(self, text: str) -> None:
        self._control.sendall(b"MPX,%010d,%s" % (len(text) + 1, text.encode()))
        answer = self._control.recv(4096).decode()  # not `message`: the simulator's answers do not count their comma
        if not answer.endswith(",0"):
            raise RuntimeError(f"Merlin answered {answer!r} to {text!r}")


def message(connection: socket.socket) -> bytes:
    """Return the next message: ``MPX,``, its length in ten digits, ``,`` and that many bytes less one."""
    prefix = exactly(connection, 15)
    if not prefix.startswith(b"MPX,"):
        raise RuntimeError(f"expected a message of Merlin, got {prefix!r}")
    return exactly(connection, int(prefix[4:14]) - 1)


def exactly(connection: socket.socket, size: int) -> bytes:
    """Read so many bytes."""
    parts: list[bytes] = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            raise ConnectionError("Merlin has closed the connection")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def image(frame: bytes) -> np.ndarray:
    """Return the image of a frame ``MQ1,number,header size,chips,width,height,dtype,...``, shape (height, width)."""
    fields = frame[:128].decode("latin1").split(",")
    size, width, height = int(fields[2]), int(fields[4]), int(fields[5])
    return np.frombuffer(frame[size:], DTYPES[fields[6]]).reshape(height, width)


def rings(frame: np.ndarray, n_rings: int) -> np.ndarray:
    """Sum a frame, shape ``(height, width)``, over rings one pixel wide about its middle, shape ``(n_rings,)``."""
    y, x = (np.indices(frame.shape).T - (np.array(frame.shape) - 1) / 2).T
    ring = np.rint(np.hypot(y, x)).astype(int)
    return np.bincount(ring.ravel(), weights=frame.ravel(), minlength=n_rings)[:n_rings]


if __name__ == "__main__":
    merlin = MerlinDetector(name="merlin", scalarizers={"bright_field": lambda counts, angle: counts[:30].sum()})
    merlin.trigger().wait(120)
    print(merlin.targets, merlin.spectrum.get().round(1))
    merlin.close()
