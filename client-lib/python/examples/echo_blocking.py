# SPDX-License-Identifier: BSD-2-Clause
"""echo.py without asyncio."""
import sys

import sctpd.blocking

changes = []
with sctpd.blocking.connect_unix(on_change=changes.append) as d:
    s = d.open(port=int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    s.listen()
    print(s.port, flush=True)
    for event in s:
        if isinstance(event, sctpd.Data):
            s.send(event.data, event.assoc_id, event.stream)
            if event.data == b"end":
                break
print("the daemon was gone", changes.count("gone"), "times, and came back", changes.count("back"), "times")
