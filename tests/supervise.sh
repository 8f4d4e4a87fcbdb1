#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# supervise.sh: the long runs of tests/integration/killed.py, each in a lab of its own, one after another.
# Their output is in build/supervise/. Fails if one did.

set -u
root=$(cd "$(dirname "$0")/.." && pwd -P)
mkdir -p "$root/build/supervise"
failed=0
for run in "lksctp 100" "osmo-stp 100" "thousand 1000"; do
	what=${run% *}
	"$root/tests/lab/run" --timeout 600 -- /usr/bin/python3 "$root/tests/integration/killed.py" "$what" "${run#* }" \
		>"$root/build/supervise/$what" 2>&1 || failed=1
	tail -n 3 "$root/build/supervise/$what"
done
exit $failed
