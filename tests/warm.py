"""Python processes of the tests that begin with their imports done.

A process that opens a catalog imports for eight seconds of processor time before it does anything. Here one process has
imported all of that and done nothing else; it forks the processes that tests ask for, and each is one of its own, with
arguments, environment, folder, streams and an exit status of its own, killed as any other. That a session starts from
nothing is what the tests of imports, of the README and of the demonstration show.
"""

import ast
import atexit
import gc
import importlib
import os
import random
import runpy
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import ModuleType

DOORS = ["bluesky_gp", "bluesky_gp.devices", "bluesky_gp.plans", "bluesky_gp.recording", "bluesky_gp.run"]
OTHERS = [
    "bluesky.plans", "bluesky_gp.cli", "matplotlib.figure", "ophyd.sim", "scipy.stats", "tiled.catalog.core",
    "tiled.client", "tiled.server.app", "uvicorn", "xarray",
]  # fmt: skip
NUMBER = struct.Struct("i")


class Process(subprocess.Popen):
    """A `Popen` of this interpreter, ``[sys.executable, ...]``, which the server forks."""

    def _execute_child(self, args, executable, preexec_fn, close_fds, pass_fds, cwd, env, *others):
        assert args[0] == sys.executable and not (preexec_fn or pass_fds), args
        streams = others[3:9]  # two ends each: what is read from and written to the child's own
        request = [str(arg) for arg in args[1:]], dict(os.environ if env is None else env), str(cwd or os.getcwd())
        given = [own if fd == -1 else fd for own, fd in enumerate([streams[0], streams[3], streams[5]])]
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._server.connect(server())
        socket.send_fds(
            self._server, [repr(request).encode()], [own if fd == -1 else fd for own, fd in enumerate(given)]
        )
        (self.pid,) = NUMBER.unpack(self._server.recv(NUMBER.size))
        self._child_created = True
        self._close_pipe_fds(*streams)  # type: ignore[attr-defined]

    def poll(self):
        return self._ended(0)

    def wait(self, timeout=None):
        if self._ended(timeout) is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def _ended(self, timeout):
        """The exit status, if it comes in time: the server's, whose child it is."""
        if self.returncode is None and select.select([self._server], [], [], timeout)[0]:
            (self.returncode,) = NUMBER.unpack(self._server.recv(NUMBER.size))
            self._server.close()
        return self.returncode

    def _internal_poll(self, *args, **options):
        return self.returncode  # of a process that nobody waits for, when it is collected


def run(args, *, input=None, timeout=None, check=False, capture_output=False, **options):
    """Run a `Process` to its end, as `subprocess.run` does."""
    if capture_output:
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Process(args, **options) as process:
        try:
            out, errors = process.communicate(input, timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(args, process.returncode, out, errors)
    if check:
        done.check_returncode()
    return done


def command(folder, name, module):
    """Write a command of that name for shells, which forks ``python -m MODULE`` and hands signals on."""
    path = Path(folder, name)
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -S {__file__} {server()} -m {module} "$@"\n')
    path.chmod(0o755)


def stand_for(address, *arguments):
    """Be the process that a shell sees of a forked one."""
    _started.append(address)
    process = Process([sys.executable, *arguments])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: process.send_signal(number))
    sys.exit(process.wait() % 256)


_started: list[str] = []


def server():
    """The address of this session's server, which is started when it is first wanted."""
    if not _started:
        address = str(Path(tempfile.mkdtemp(prefix="warm-"), "socket"))
        process = subprocess.Popen([sys.executable, __file__, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n", "an import has failed"
        atexit.register(process.communicate)
        _started.append(address)
    return _started[0]


def serve(address):
    """Fork a process for each that asks, until standard input ends; return in the process what it is to be."""
    os.environ["OPHYD_CONTROL_LAYER"] = (
        "dummy"  # threads of Channel Access do not survive a fork: no EPICS in these processes
    )
    for name in (*DOORS, *OTHERS):
        module = importlib.import_module(name)
        for attribute in dir(module):
            getattr(module, attribute)  # doors import late
    assert threading.active_count() == 1 and "epics" not in sys.modules
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen(100)
    print("ready", flush=True)
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        asked, _ = listener.accept()
        if not os.fork():
            listener.close()
            return forked(asked)
        asked.close()
    shutil.rmtree(Path(address).parent)
    sys.exit()


def forked(asked):
    """Start the process that is asked for and wait for it; only the process itself returns, with its arguments."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, streams, _, _ = socket.recv_fds(asked, 1 << 20, 3)
    if pid := os.fork():
        for stream in (0, 1, 2, *streams):
            os.close(stream)
        _, status = os.waitpid(pid, 0)
        asked.send(NUMBER.pack(os.waitstatus_to_exitcode(status)))
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # heard though the tests may have been started by nohup
    asked.send(NUMBER.pack(os.getpid()))
    asked.close()
    for own, stream in enumerate(streams):
        os.dup2(stream, own)
        os.close(stream)
    arguments, environment, folder = ast.literal_eval(request.decode())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    random.seed()
    return arguments


def become(kind, *arguments):
    """Run ``-m MODULE``, ``-c CODE`` or a script with its arguments, as the interpreter does."""
    path = os.environ.get("PYTHONPATH")
    sys.path[:1] = [str(Path(kind).parent) if kind[0] != "-" else "", *(path.split(os.pathsep) if path else [])]
    if kind == "-m":
        sys.argv = list(arguments)
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = ["-c", *arguments[1:]] if kind == "-c" else [kind, *arguments]
        code = arguments[0] if kind == "-c" else Path(kind).read_text()
        main = sys.modules["__main__"] = ModuleType("__main__")
        main.__dict__.update({} if kind == "-c" else {"__file__": kind})
        exec(compile(code, "<string>" if kind == "-c" else kind, "exec"), main.__dict__)  # noqa: S102


if __name__ == "__main__":
    stand_for(*sys.argv[1:]) if len(sys.argv) > 2 else become(*serve(sys.argv[1]))
