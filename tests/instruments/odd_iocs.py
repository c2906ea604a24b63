"""IOCs that behave as some do, and as they should not: python odd_iocs.py --port PORT --kind KIND."""

import argparse
import asyncio
import os

from bluesky_gp.cli.channel_access import LOOPBACK, server_environment

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
parser.add_argument("--kind")
options = parser.parse_args()
os.environ.update(server_environment(options.port))

from caproto.ioc_examples.fake_motor_record import FakeMotor  # noqa: E402
from caproto.server import PVGroup, SubGroup, pvproperty  # noqa: E402

from bluesky_gp.devices.ioc import serve  # noqa: E402


class PlainMotors(PVGroup):
    """caproto's own motor record, whose control limits read (0, 0)."""

    y = SubGroup(FakeMotor, velocity=1000.0, acceleration=0.01, user_limits=(-1, 4), tick_rate_hz=100.0, prefix="y")
    x = SubGroup(FakeMotor, velocity=1000.0, acceleration=0.01, user_limits=(-1, 4), tick_rate_hz=100.0, prefix="x")


class Detector(PVGroup):
    """Its n-th spectrum is full of n."""

    busy = pvproperty(value=0, name="Acquire_RBV", read_only=True)
    counter = pvproperty(value=0, name="ArrayCounter_RBV", read_only=True)
    spectrum = pvproperty(value=[0.0] * 4, name="Spectrum_RBV", max_length=64, read_only=True)
    axis = pvproperty(value=[0.0, 1.0, 2.0, 3.0], name="Axis_RBV", max_length=64, read_only=True)
    exposure = pvproperty(value=0.05, name="AcquireTime")
    mode = pvproperty(value=2, name="ImageMode")

    async def start(self, instance, value):
        if value:
            await self.expose()
        return 0

    acquire = pvproperty(value=0, name="Acquire", put=start)

    async def expose(self):
        raise NotImplementedError


class CountsFirst(Detector):
    """Counts 0.1 s before the spectrum is there, and says that it is idle before that."""

    async def expose(self):
        await self.busy.write(1)
        await asyncio.sleep(self.exposure.value)
        await self.busy.write(0)
        await self.counter.write(self.counter.value + 1)
        await asyncio.sleep(0.1)
        await self.spectrum.write([float(self.counter.value)] * 4)


class Deaf(Detector):
    """Takes no notice."""

    async def expose(self):
        pass


class Stubborn(Detector):
    """Cannot be aborted, and counts a little after it has become idle; a counter reset makes no difference."""

    async def expose(self):
        if self.busy.value:
            return
        await self.busy.write(1)
        await asyncio.sleep(self.exposure.value)
        number = self.counter.value + 1
        await self.busy.write(0)
        await asyncio.sleep(0.05)
        await self.spectrum.write([float(number)] * 4)
        await self.counter.write(number)


KINDS = {"counts-first": CountsFirst, "deaf": Deaf, "stubborn": Stubborn, "plain-motors": PlainMotors}
asyncio.run(serve(KINDS[options.kind]("odd:").pvdb, [LOOPBACK]))  # type: ignore[attr-defined]
