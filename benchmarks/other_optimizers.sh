#!/usr/bin/env bash
# An environment with the optimizers of others, made once, and the table of all of them over one sample.
# The first argument is a folder for the environment, unless it is an option; all others are of other_optimizers.py.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${XDG_CACHE_HOME:-$HOME/.cache}/bluesky_gp/optimizers
if [ "${1:---}" = "${1#-}" ]; then home=$1 && shift; fi
if [ ! -x "$home/bin/python" ]; then
    python3 -m venv "$home"
    "$home/bin/pip" install -q "bluesky-adaptive[ax,xopt]" gpcam "$here/.."
fi
# One thread each: seconds of the processor are then seconds.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1
exec "$home/bin/python" "$here/other_optimizers.py" "$@"
