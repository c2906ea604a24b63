#!/usr/bin/env bash
# An environment with the optimizers of others, made once, and the table of all of them over one sample.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/bluesky_gp/optimizers}
if [ ! -x "$home/bin/python" ]; then
    python3 -m venv "$home"
    "$home/bin/pip" install -q "bluesky-adaptive[ax,xopt]" gpcam "$here/.."
fi
"$home/bin/python" "$here/other_optimizers.py" "${@:2}"
