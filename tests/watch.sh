#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# watch.sh SECONDS [loss|slow|flap...]: the long runs of tests/integration/watched.py, each in a lab of its own, side by
# side. Their output is in build/watch/, and the last lines of each come at the end. Fails if one did.

set -u
root=$(cd "$(dirname "$0")/.." && pwd -P)
seconds=${1:?usage: tests/watch.sh SECONDS [loss|slow|flap...]}
shift
[ $# -gt 0 ] || set -- loss slow flap
mkdir -p "$root/build/watch"

pids=
for what; do
	"$root/tests/lab/run" --timeout 0 -- /usr/bin/python3 "$root/tests/integration/watched.py" "$what" "$seconds" \
		>"$root/build/watch/$what" 2>&1 &
	pids="$pids $!"
done
failed=0
for pid in $pids; do
	wait "$pid" || failed=1
done
for what; do
	tail -n 2 "$root/build/watch/$what"
done
exit $failed
