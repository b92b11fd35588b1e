#!/usr/bin/env bash
# A study on a real Slurm of two nodes, with a cancelled job, a lost node and a killed main process on
# the way; its results must have the bytes of a local run.
#
#   tests/cluster/run.sh [results of a local run] [arguments for snakemake, as that run had ...]
#
# A study file must lie in the top folder or in studies/: results name it by its path.
# Needs root on Debian (it installs Slurm); elsewhere it is skipped. At most ten minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
local_results=${1:-results/default}
here=$PWD/tests/cluster

if [ "$(id -u)" != 0 ] || [ ! -e /etc/debian_version ]; then
    echo "cluster test: left out (it needs root on Debian)"
    exit 0
fi
if [ -e /etc/slurm/slurm.conf ]; then
    echo "cluster test: left out (a Slurm is set up on this machine)"
    exit 0
fi
if [ ! -e "$local_results/report.html" ]; then
    echo "cluster test: $local_results has no report.html; run 'snakemake --cores all' first" >&2
    exit 1
fi
local_results=$(cd "$local_results" && pwd)

packages=(slurmctld slurmd slurm-client munge)
if ! dpkg --status "${packages[@]}" >/dev/null 2>&1; then
    # daemons are started below, from a temporary folder, and by nobody else
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
        --no-install-recommends "${packages[@]}" >/dev/null; }; then
        echo "cluster test: left out (apt-get cannot install ${packages[*]} here)"
        exit 0
    fi
fi
if ! python -c 'import snakemake_executor_plugin_slurm' 2>/dev/null; then
    pip install --quiet --constraint constraints.txt snakemake-executor-plugin-slurm
fi

folder=$(mktemp -d)
# its own copy: neither the results here nor Snakemake's records of them are touched
chmod 755 "$folder" # munge, another user, has its socket below
mkdir "$folder/checkout" "$folder/slurm"
cp -r Snakefile ./*.yaml rules scripts src profiles envs docs studies "$folder/checkout"

finish() {
    status=$?
    "$here/slurm.sh" stop "$folder/slurm"
    if [ "$status" = 0 ]; then rm -rf "$folder"; else echo "cluster test failed; see $folder" >&2; fi
}
trap finish EXIT
trap 'exit 130' INT TERM

"$here/slurm.sh" start "$folder/slurm"
export RULEALIGN_PARTITION=main RULEALIGN_GPU_PARTITION=networks RULEALIGN_SLURM_STATUS=squeue
export PYTHONPATH="$folder/checkout/src"
timeout --kill-after=10 570 python "$here/interrupted_run.py" "$folder/checkout" "$local_results" "${@:2}"
