"""
A talk with a command on a terminal in the machine: wait for a word, type an answer. What a person at an engine's
attach or exec does, and what no pipe into script(1) can: the answer comes after the question.
"""
import json

# Runs in the machine. Prints all that the terminal showed; ends as the command ended, or with 124 and a word that never came
GUEST = r"""
import fcntl, json, os, pty, select, signal, struct, sys, termios, time
command, steps, patience = json.loads(sys.argv[1])
child, terminal = pty.fork()
if not child:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    os.execvp(command[0], command)
shown, heard, deadline, late = b"", 0, time.monotonic() + patience, None
while True:
    while steps and (found := shown.find(steps[0][0].encode(), heard)) >= 0:
        word, answer = steps.pop(0)
        heard = found + len(word)
        os.write(terminal, answer.encode())
        time.sleep(0.3)  # a person's pace: Podman takes the keys to detach only one by one
    if time.monotonic() > deadline and late is None:
        late = steps[0][0] if steps else "the end"
        os.kill(child, signal.SIGKILL)
    try:
        data = os.read(terminal, 65536) if select.select([terminal], [], [], 0.2)[0] else None
    except OSError:  # its last user has gone
        break
    shown += data or b""
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
os.write(1, shown)
if late is not None or steps:
    print(f"dialog: {late or steps[0][0]!r} never came", file=sys.stderr)
    code = 124
sys.exit(code)
"""


def dialog(vm, command, *steps, user=None, patience=60):
    """The result of a command on a terminal of 33 rows and 99 columns. A step: (word to wait for, what to type then)."""
    return vm.run(["/usr/bin/python3", "-c", GUEST, json.dumps([[str(word) for word in command], steps, patience])],
                  user=user, timeout=patience + 30)
