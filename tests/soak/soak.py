# SPDX-License-Identifier: BSD-2-Clause
"""Two hosts, sctpd on both under the keeper, eight associations, messages both
ways as fast as they go, and all the time something is killed. At the end each
message must have arrived exactly once and in order.

SOAK_SECONDS how long it goes on (600); SOAK_SEED for the same random moments
again, as far as processes allow; SOAK_KINDS only these kinds, with commas:
daemon-kill daemon-fault daemon-early daemon-term daemon-stop client-kill client-stop
hand-over path;
SOAK_RATE of them in a second; SOAK_LOG the daemons' log level;
SOAK_SCTPD another daemon than build/fault/sctpd."""
import os
import random
import shutil
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration")]

from faults import KILLS, KINDS, NAMES, Faults  # noqa: E402
import harness  # noqa: E402
from harness import BUILD, Daemon, wait_for  # noqa: E402
from hosts import networks  # noqa: E402
from load import COUNTS, Failed, Load  # noqa: E402
from rpc import Client  # noqa: E402
from plan import ASSOCIATIONS, SIDES  # noqa: E402
from supervised import Supervised  # noqa: E402

SECONDS = float(os.environ.get("SOAK_SECONDS") or 600)
SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(1 << 32))
RATE = float(os.environ.get("SOAK_RATE") or 2.5)
# It dies where it is told to, and checks that the journal knows what leaves.
SCTPD = os.environ.get("SOAK_SCTPD") or os.path.join(BUILD, "fault", "sctpd")
STALLED = 30  # seconds without any message of an association: it is lost
TERMINAL = os.environ.get("SOAK_TERMINAL")  # the lab's output is a pipe always
LOGS = os.path.join(BUILD, "soak")


class Soak:
    def __init__(self):
        wanted = (os.environ.get("SOAK_KINDS") or ",".join(KINDS)).split(",")
        self.kinds = {kind: KINDS[kind] for kind in wanted}
        self.folder = tempfile.mkdtemp(prefix="soak-")
        self.log = open(os.path.join(self.folder, "faults.log"), "w", buffering=1)
        self.began, self.daemons, self.problems, self.faults, self.total = time.monotonic(), {}, [], None, {}
        self.said = 0

    def note(self, text):
        print(f"{time.monotonic():.3f} {time.monotonic() - self.began:8.3f} {text}", file=self.log)

    # ---- the beginning ----

    def set_up(self):
        networks("up")
        # The daemon that is there now, also if it is built anew meanwhile.
        harness.SCTPD = os.path.join(self.folder, "sctpd")
        shutil.copy(SCTPD, harness.SCTPD)
        for side in SIDES:
            os.environ["SCTPD_FAULT"] = self.fault_file(side)
            self.daemons[side] = Daemon(netns=side, prefix=["sh", "-c", 'exec "$@" -k', "sh"],
                                        log_level=os.environ.get("SOAK_LOG") or "info")
        self.load = Load(self.folder, {side: d.path for side, d in self.daemons.items()})
        self.load.set_up()
        wait_for(lambda: all(self.paths_are_up(d) for d in self.daemons.values()))
        self.load.start()
        self.supervised = Supervised(self.load.paths, SEED)
        self.faults = Faults(self.load, random.Random(SEED), self.kinds, RATE, self.note, self.child,
                             {side: self.fault_file(side) for side in SIDES})

    def fault_file(self, side):
        return os.path.join(self.folder, f"{side}-fault")

    def child(self, side):
        keeper = self.daemons[side].process.pid
        with open(f"/proc/{keeper}/task/{keeper}/children", encoding="ascii") as f:
            return next((int(pid) for pid in f.read().split()), None)

    @staticmethod
    def paths_are_up(daemon):
        rows = [line.split() for line in daemon.kernel("remaddr").splitlines()[1:]]
        return len(rows) >= 2 * len(ASSOCIATIONS) and all(row[-1] == "2" for row in rows)

    # ---- the run ----

    def run(self):
        self.began = time.monotonic()
        due = checked = self.began
        while not self.failed() and time.monotonic() < self.began + SECONDS:
            now = time.monotonic()
            if now >= due:
                due = now + self.faults.next(now - self.began)
            if now >= checked + 1:
                checked = now
                self.check()
            self.faults.step(min(due, checked + 1, self.began + SECONDS))
        self.faults.calm_down(time.monotonic() + 30)
        self.seconds = time.monotonic() - self.began
        self.supervised_said, good = self.supervised.end()
        if not good:
            self.problems.append(f"the supervised association: {self.supervised_said}")

    def failed(self):
        return self.problems or self.faults.problems

    def check(self):
        """Each second: is all well, and how far are we?"""
        self.total = self.load.totals()
        self.problems += self.total["faults"]
        now = time.monotonic()
        rows, _ = self.load.counts()
        self.problems += [f"association {a}, to the {side}: nothing has come for {now - row['last']:.0f} s; "
                          f"{row['in']} of {row['sent']}" for (a, side), row in rows.items()
                          if now - max(row["last"], self.began) > STALLED]
        self.progress()

    def progress(self):
        elapsed = time.monotonic() - self.began
        text = (f"{elapsed:4.0f} s  {self.faults.kills()} kills  {self.total['messages']} messages  "
                f"lost {self.total['lost']}  doubled {self.total['doubled']}")
        if TERMINAL:
            print(f"\r{text}", end="", flush=True)
        elif elapsed >= self.said + 10:
            self.said = elapsed
            print(text, flush=True)

    # ---- the end ----

    def drain(self):
        """Send no more; until all that was sent has come."""
        for c in self.load.clients:
            c.sending = False
            c.say("stop")
        last, deadline = None, time.monotonic() + STALLED
        while (behind := self.load.behind()) and not self.faults.problems:
            if behind != last and [b.split(", the last")[0] for b in behind] != last:
                last, deadline = [b.split(", the last")[0] for b in behind], time.monotonic() + STALLED
            if time.monotonic() > deadline:
                self.problems += behind
                return
            self.faults.step(min(deadline, time.monotonic() + 0.5))
        self.note("all has come")

    def end(self):
        """Shut the associations down: nothing more may come of them, so what
        were to come twice would have."""
        for side in reversed(SIDES):
            for c in self.load.of(side):
                c.say("end")
        deadline = time.monotonic() + STALLED
        while not self.faults.problems:
            rows, faults = self.load.counts()
            left = [where for where, row in rows.items() if not row.get("over")]
            if faults or not left:
                return
            if time.monotonic() > deadline:
                self.problems.append(f"associations that do not end: {left}")
                return
            self.faults.step(min(deadline, time.monotonic() + 0.2))

    def verdict(self):
        self.total = self.load.totals()
        self.problems = list(dict.fromkeys([*self.problems, *self.faults.problems, *self.total["faults"]]))
        if not any(k in KILLS for k in self.kinds) or self.faults.kills() >= int(SECONDS):
            return
        self.problems.append(f"only {self.faults.kills()} kills in {SECONDS:.0f} s")

    def table(self):
        f, t = self.faults, self.total
        print(f"\n{'':30}{'left':>8}{'right':>8}")
        for kind, counts in f.counts.items():
            print(f"{NAMES[kind]:30}{counts['left']:8}{counts['right']:8}")
        print(f"{'kills':30}{f.kills():8} in {self.seconds:.0f} s")
        print(f"{'associations':30}{len(ASSOCIATIONS):8}")
        print(f"{'messages':30}{t['messages']:8} of {t['bytes'] / max(t['messages'], 1):.0f} bytes, "
              f"{t['messages'] / self.seconds:.0f} a second")
        for what in COUNTS:
            print(f"{what:30}{t[what]:8}")
        print(f"{'supervised beside them':30}{self.supervised_said.splitlines()[-1]}")
        times = f.times() or [0]
        print(f"{'daemon back, ms':30}{times[len(times) // 2]:8.0f} in the middle, {times[-1]:.0f} at most")
        print(f"{'longest gap, ms':30}{t.get('gap', 0):8.0f} association {t.get('gap_of')}, "
              f"to the {t.get('gap_side')}, until {t.get('gap_end', 0) - self.began:.1f} s", flush=True)

    def debug(self):
        """What is needed to find the cause."""
        print(f"\nFAILED, SOAK_SEED={SEED}")
        for text in self.problems[:20]:
            print(f"  {text}")
        for text in self.load.behind():
            print(f"  behind: {text}")
        print("--- the last faults")
        with open(self.log.name) as f:
            print("".join(f.readlines()[-25:]), end="")
        for side, d in self.daemons.items():
            print(f"--- the log of the {side}")
            print("\n".join(d.log_text().splitlines()[-25:]))
            try:
                print("\n".join(line[:200] for line in d.kernel("assocs").splitlines()))
                c = Client(d.path)
                for method in ("clients", "sockets", "assocs"):
                    print("\n".join(str(row) for row in c.call(method)[method]))
                c.close()
            except (OSError, EOFError) as why:
                print(why)
        sys.stdout.flush()

    def keep_logs(self):
        os.makedirs(LOGS, exist_ok=True)
        for side, d in self.daemons.items():
            d.log.flush()
            shutil.copy(d.log.name, os.path.join(LOGS, f"{side}.log"))
        for name in os.listdir(self.folder):
            if "." in name:
                shutil.copy(os.path.join(self.folder, name), LOGS)

    def all(self):
        print(f"soak: {SECONDS:.0f} s, SOAK_SEED={SEED}, {' '.join(self.kinds)}", flush=True)
        self.set_up()
        self.run()
        if not self.failed():
            self.drain()
        if not self.failed():
            self.end()
        self.verdict()
        self.table()
        if self.problems:
            self.debug()
        self.keep_logs()
        for c in self.load.clients:
            if c.pid:
                c.kill()
        for d in self.daemons.values():
            d.process.terminate()
            if d.process.wait(20) != 0:
                self.problems.append("the keeper did not end well")
        return not self.problems


def main():
    soak = Soak()
    try:
        good = soak.all()
    except Exception as why:
        print(f"FAILED {why!r}" if isinstance(why, Failed) else traceback.format_exc(), flush=True)
        soak.keep_logs()
        good = False
    print("1 passed, 0 failed, 0 skipped" if good else "0 passed, 1 failed, 0 skipped", flush=True)
    sys.exit(0 if good else 1)


main()
