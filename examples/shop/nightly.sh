#!/usr/bin/env bash
# Every night: check the data, then keep who is in which segment as of yesterday.
#
# In the crontab of whoever owns the project, with its own paths:
#
#   30 4 * * *  bash /srv/shop/nightly.sh 2>>/srv/shop/nightly.log
#
# It needs nothing of cron's environment, and no programs but segql and flock. A day
# that was missed is made up for with its date: bash nightly.sh 2025-12-31
#
# SEGQL names another program, NIGHTLY_LOCK another lock. The exit code is that of
# segql (1 something failed, 2 wrong settings, 3 a check fell short), or 75 when an
# earlier run is still at work.
set -euo pipefail

log() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >&2; }

trap 'code=$?; [ "$code" -eq 0 ] || log "ended with $code"' EXIT

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# cron's own PATH is too short for a program put there by hand or by cargo.
export PATH="${PATH:-/usr/bin:/bin}:/usr/local/bin:${HOME:-/root}/.cargo/bin"
program=${SEGQL:-segql}

in_project() { "$program" --project "$here" --color never --format csv "$@"; }

# Results go into the log too: standard output stays empty.
step() {
    log "segql $*"
    in_project "$@" >&2
}

# Held until the last process of this run is gone, however it ends.
exec 9>"${NIGHTLY_LOCK:-$here/.nightly.lock}"
if ! flock --nonblock 9; then
    log "an earlier run is still at work"
    exit 75
fi

# Settled once, in the project's time zone: midnight may pass between the steps.
day=$(in_project --quiet --as-of "${1:-yesterday}" -c 'SELECT as_of()' | tail -n 1)

# Members are not made from data that is known to be wrong.
step check --as-of "$day"
# What was kept before is found unchanged: after a failure, the same again does
# what is missing and no more.
step run --as-of "$day"
log "done as of $day"
