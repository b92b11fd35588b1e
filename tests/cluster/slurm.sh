#!/usr/bin/env bash
# A real Slurm of two virtual nodes on this machine, for tests: start <folder> | stop <folder>.
# Root on Debian only. All its files lie in the folder, but for a link at /etc/slurm/slurm.conf:
# the executor plugin removes SLURM_CONF from the environment of jobs.
set -euo pipefail

action=$1
folder=$2
conf=/etc/slurm/slurm.conf

write_configuration() {
    local host
    host=$(hostname -s)
    cat >"$folder/slurm.conf" <<CONF
ClusterName=rulealign-test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket=$folder/munge/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=3600
JobRequeue=0
KillWait=5
SlurmdTimeout=20
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=5
StateSaveLocation=$folder/state
SlurmctldPidFile=$folder/slurmctld.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdPidFile=$folder/%n.pid
SlurmdLogFile=$folder/%n.log
SlurmdSpoolDir=$folder/spool.%n
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=17001 CPUs=2 RealMemory=8000 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=17002 CPUs=2 RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
PartitionName=networks Nodes=n1,n2 MaxTime=INFINITE State=UP
CONF
}

start_munge() {
    mkdir -p "$folder/munge"
    chmod 755 "$folder" # munge looks at every folder above its socket
    head -c 1024 /dev/urandom >"$folder/munge/munge.key"
    chown -R munge: "$folder/munge"
    chmod 400 "$folder/munge/munge.key"
    chmod 755 "$folder/munge"
    runuser -u munge -- munged --key-file="$folder/munge/munge.key" \
        --socket="$folder/munge/munge.socket" --pid-file="$folder/munge/munged.pid" \
        --log-file="$folder/munge/munged.log" --seed-file="$folder/munge/munged.seed"
}

start() {
    if [ -e "$conf" ] || [ -L "$conf" ]; then
        echo "$conf exists: a Slurm is set up here, and is left alone" >&2
        exit 1
    fi
    mkdir -p "$folder/state" "$folder/spool.n1" "$folder/spool.n2" /etc/slurm
    folder=$(cd "$folder" && pwd)
    write_configuration
    ln -s "$folder/slurm.conf" "$conf"
    start_munge
    slurmctld -i
    slurmd -N n1
    slurmd -N n2
    for _ in $(seq 60); do
        if [ "$(sinfo --noheader --Node --format %T | sort | uniq -c | awk '{print $1 $2}')" = 4idle ]; then
            return
        fi
        sleep 0.5
    done
    sinfo >&2
    echo "the two nodes did not come up within 30 s; logs: $folder" >&2
    exit 1
}

stop() {
    local file process
    folder=$(cd "$folder" && pwd)
    if [ -e "$conf" ] && [ "$(readlink "$conf")" = "$folder/slurm.conf" ]; then
        timeout 10 scancel --user=root || true
        sleep 1
        rm -f "$conf"
        rmdir --ignore-fail-on-non-empty /etc/slurm
    fi
    for file in "$folder"/n?.pid "$folder/slurmctld.pid" "$folder/munge/munged.pid"; do
        process=$(cat "$file" 2>/dev/null) || continue
        kill "$process" 2>/dev/null || true
        for _ in $(seq 40); do
            if ! kill -0 "$process" 2>/dev/null; then break; fi
            sleep 0.25
        done
        kill -KILL "$process" 2>/dev/null || true
    done
}

"$action"
