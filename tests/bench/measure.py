#!/usr/bin/env python3
"""measure.py RUNS [rss] - time whole processes, interleaved.

Each line of stdin is NAME<TAB>PREPARE<TAB>COMMAND, both for sh. RUNS times over all lines PREPARE is run, which is
not measured, then COMMAND. For each line of stdin one comes out:

    NAME wall LOW MEDIAN HIGH cpu LOW MEDIAN HIGH rss LOW MEDIAN HIGH        (seconds, seconds, MB)

rss is 0 unless asked for: it is taken by time(1), because the memory of whoever starts a process counts as the
process's own, and that of an interpreter is large. A command that fails ends everything."""
import os, shlex, statistics, subprocess, sys, tempfile, time

runs, want_rss = int(sys.argv[1]), "rss" in sys.argv[2:]
rows = [line.rstrip("\n").split("\t") for line in sys.stdin if line.strip()]
quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
report = tempfile.NamedTemporaryFile()


def is_plain(command):
    return not any(c in command for c in "|&;<>$`\\\"'*?(){}\n")


def once(command):
    # a shell between would cost a millisecond
    argv = shlex.split(command) if is_plain(command) else ["sh", "-ec", command]
    if want_rss:
        argv = ["/usr/bin/time", "-q", "-f", "%M", "-o", report.name] + argv
    errors = tempfile.TemporaryFile()
    start = time.perf_counter()
    child = subprocess.Popen(argv, stderr=errors, **quiet)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        errors.seek(0)
        sys.exit(f"measure.py: {command}: status {child.returncode}\n" + errors.read().decode(errors="replace"))
    rss = int(open(report.name).read().split()[-1]) / 1000 if want_rss else 0
    return wall, usage.ru_utime + usage.ru_stime, rss


samples = [[] for _ in rows]
for _ in range(runs):
    for row, taken in zip(rows, samples):
        if row[1]:
            subprocess.run(["sh", "-ec", row[1]], check=True, stderr=subprocess.DEVNULL, **quiet)
        taken.append(once(row[2]))
for row, taken in zip(rows, samples):
    words = [row[0]]
    for what, values in zip(("wall", "cpu", "rss"), zip(*taken)):
        words += [what] + [f"{v:.6f}" for v in (min(values), statistics.median(values), max(values))]
    print(*words)
