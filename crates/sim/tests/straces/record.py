#!/usr/bin/env python3
"""Records one program for `plat sim`: its strace, its maps after each execve and at each exit, its files' headers.

Usage: record.py NAME [--aslr] [--faults] [--trim] -- PROGRAM ARGUMENTS...
Makes NAME.strace, NAME.maps and NAME.files. With --faults (needs perf, tracefs and root) the page faults stand
between the calls: `PID faults PAGE[rwxRW][*COUNT]...`, pages in hexadecimal, COUNT pages upwards; capitals are touches
of the kernel's, on behalf of a call.
--trim leaves out what changes no map, for programs that do much else; `gzip -9n` does the rest. A program with threads
is best recorded on one processor (taskset -c 0).
Needs strace; each execve and each exit is held for a moment so that /proc/PID/maps can be read meanwhile.
"""
import os
import re
import subprocess
import sys
import time

CALLS = "memory,process,open,openat,close,dup,dup2,dup3,fcntl,prlimit64,setrlimit,/^(un)?link(at)?$,/^rename(at2?)?$,shmget"
EXECVE, EXIT_GROUP = "59", "231"
HEADER_BYTES = 0x400


def children(parent):
    found = []
    for entry in os.listdir("/proc"):
        try:
            stat = open(f"/proc/{entry}/stat").read() if entry.isdigit() else ""
        except OSError:
            continue
        if stat and int(stat.rsplit(")", 1)[1].split()[1]) == parent:
            found += [int(entry)] + children(int(entry))
    return found


def read(path):
    try:
        return open(path).read()
    except OSError:
        return ""


def plain(maps):
    """Drops device and inode, which no model can know."""
    rows = []
    for line in maps.splitlines():
        span, access, offset, _device, _inode, *path = line.split(None, 5)
        rows.append(" ".join([span, access, offset, *path]))
    return "\n".join(rows)


def watch(tracer, wait):
    seen, maps, files = set(), [], set()
    while wait.poll() is None:
        for pid in children(tracer):
            call = read(f"/proc/{pid}/syscall").split()
            if not call or call[0] not in (EXECVE, EXIT_GROUP):
                continue
            text = read(f"/proc/{pid}/maps")
            stack = re.search(r"^(\w+)-(\w+) .*\[stack\]", text, re.M)
            # The vdso is mapped last: without it, execve is still at work.
            if not stack or (call[0] == EXECVE and "[vdso]" not in text):
                continue
            when = "exec" if call[0] == EXECVE else "exit"
            pointer = call[-2]
            program = text.split("\n")[0].split()[-1]
            key = (pid, when, program if when == "exec" else "")
            # Inside execve the old map is still there until the call returns: strace holds the process after that.
            if key in seen or program.endswith(("setarch", "/env")) or (when == "exec" and ".so.6" in text):
                continue
            seen.add(key)
            maps.append((pid, when, pointer, text))
            files.update(line.split(None, 5)[5] for line in text.splitlines() if " /" in line)
        time.sleep(0.02)
    return maps, files


def faults_of(recording):
    """Yields (time, pid, page, letter) of each user page that a fault was taken for."""
    # strace tells the time of day; perf's clock differs by what has passed since the machine started.
    offset = time.clock_gettime(time.CLOCK_REALTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    command = ["perf", "script", "-i", recording, "-F", "tid,time,event,trace"]
    pattern = re.compile(r"(\d+) +(\d+\.\d+): +exceptions:page_fault_\w+: +address=(\S+) ip=\S+ error_code=(\S+)")
    for line in subprocess.run(command, capture_output=True, text=True).stdout.splitlines():
        found = pattern.search(line)
        if not found:
            continue
        address, code = int(found[3], 16), int(found[4], 16)
        if address < 1 << 47:
            letter = "x" if code & 16 else "w" if code & 2 else "r"
            yield float(found[2]) + offset, found[1], address >> 12, letter if code & 4 else letter.upper()


def run_lines(events):
    """Writes calls and faults in the order of time, faults in a row as one line."""
    lines, last = [], None
    for _, pid, call, page, letter in events:
        if call is not None:
            lines.append(f"{pid} {call}")
            last = None
        elif last and last[0] == pid and last[2] == letter and last[1] + last[3] == page:
            last[3] += 1
            lines[-1] = re.sub(r"(\*\d+)?$", f"*{last[3]}", lines[-1], count=1)
        else:
            item = f"{page:x}{letter}"
            if last and last[0] == pid and len(lines[-1]) < 150:
                lines[-1] += f" {item}"
            else:
                lines.append(f"{pid} faults {item}")
            last = [pid, page, letter, 1]
    return "\n".join(lines) + "\n"


def merge(strace, recording):
    events = []
    for line in strace.splitlines():
        pid, when, call = line.split(None, 2)
        events.append((float(when), pid, call, 0, ""))
    pids = {event[1] for event in events}
    if recording:
        events += [(at, pid, None, page, letter) for at, pid, page, letter in faults_of(recording) if pid in pids]
    events.sort(key=lambda event: event[0])
    # The launcher (setarch or env) is no part of the recording.
    execs = [index for index, event in enumerate(events) if (event[2] or "").startswith("execve(")]
    return run_lines(events[execs[1] :])


def trim(text):
    """Drops calls and arguments that the replay does not look at, and files that are never mapped."""
    mapped = set(re.findall(r" mmap\(.*, \d+<([^>]*)>", text))
    always = "mmap munmap mprotect mremap madvise brk mlock munlock execve clone clone3 vfork fork exit exit_group".split()

    def keep(call):
        name = call.split("(")[0]
        if "EFAULT" in call:
            return True
        path = re.search(r'"([^"]*)"', call) if name == "openat" else re.search(r"<([^>]*)>", call)
        if name == "openat":
            return "= -1" not in call and bool(path) and (path[1] in mapped or ".so" in path[1] or "/fd/" in path[1])
        if name in ("close", "dup", "dup2", "dup3"):
            return bool(path) and (path[1] in mapped or path[1].startswith("/memfd"))
        if "link" in name or "rename" in name or name.startswith("shm"):
            return "= -1" not in call
        return name in always or (name == "prlimit64" and ", NULL," not in call) or "F_DUPFD" in call

    rows = [line.partition(" ")[::2] for line in text.splitlines()]
    kept, under_way = [True] * len(rows), {}
    for index, (pid, rest) in enumerate(rows):
        if rest.endswith("<unfinished ...>"):
            under_way[pid] = index
        elif not rest.startswith("faults "):
            start = under_way.pop(pid, index) if rest.startswith("<... ") else index
            whole = rest if start == index else rows[start][1] + rest
            kept[start] = kept[index] = keep(whole)
    # What was under way at the end changed nothing that is seen.
    lines = [f"{pid} {rest}" for (pid, rest), keeps in zip(rows, kept) if keeps]
    unread = r", (child_tid|parent_tid|stack|stack_size|tls)=0x[0-9a-f]+|, exit_signal=0| => \{parent_tid=\[\d+\]\}"
    return re.sub(unread, "", "\n".join(lines) + "\n")


def main():
    split = sys.argv.index("--")
    name, *options = sys.argv[1:split]
    program = sys.argv[split + 1 :]
    command = ["strace", "-f", "-y", "-ttt", "-o", f"{name}.strace", "-e", f"trace={CALLS}", "-e", "signal=none"]
    command += ["-e", "inject=execve:delay_exit=250000", "-e", "inject=exit_group:delay_enter=250000"]
    command += ["env"] if "--aslr" in options else ["setarch", "-R"]
    environment = {"PATH": "/usr/bin", "LC_ALL": "C", "HOME": "/"}
    here = os.getcwd()
    command = [part.replace(f"{name}.strace", f"{here}/{name}.strace") for part in command]
    recording = f"{here}/{name}.perf" if "--faults" in options else None
    if recording:
        events = "exceptions:page_fault_user,exceptions:page_fault_kernel"
        command = ["perf", "record", "-k", "CLOCK_MONOTONIC", "-e", events, "-c", "1", "-o", recording, "--", *command]
    tracer = subprocess.Popen(command + program, env=environment, cwd="/", stdout=subprocess.DEVNULL)
    maps, files = watch(tracer.pid, tracer)
    with open(f"{name}.maps", "w") as out:
        for pid, when, pointer, text in maps:
            out.write(f"== {pid} {when} sp={pointer}\n{plain(text)}\n")
    with open(f"{name}.files", "w") as out:
        for path in sorted(files):
            if os.path.exists(path):
                head = open(path, "rb").read(HEADER_BYTES)
                executed = head[:4] == b"\x7fELF" and (b"ld-linux" in head or "/ld-" in path)
                out.write(f"{path} {os.path.getsize(path)} {head.hex() if executed else ''}".rstrip() + "\n")
    text = read(f"{name}.strace")
    links = {path: os.path.realpath(path) for path in re.findall(r'execve\("([^"]+)"', text)}
    links["/lib64/ld-linux-x86-64.so.2"] = os.path.realpath("/lib64/ld-linux-x86-64.so.2")
    with open(f"{name}.files", "a") as out:
        for path, target in sorted(links.items()):
            # A script's first line tells its interpreter; the script itself is not mapped.
            head = open(target, "rb").read(HEADER_BYTES) if os.path.exists(target) else b""
            if head[:2] == b"#!":
                out.write(f"{target} {os.path.getsize(target)} {head.hex()}\n")
            if path != target and not path.endswith(("setarch", "/env")):
                out.write(f"{path} -> {target}\n")
    text = merge(read(f"{name}.strace").replace(" (DELAYED)", ""), recording)
    text = trim(text) if "--trim" in options else text
    open(f"{name}.strace", "w").write(text)
    print(name, len(text), "bytes;", [(pid, when) for pid, when, _, _ in maps])


main()
