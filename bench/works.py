"""The works: the same doing written for opsplay and Ansible (YAML), for pyinfra (Python) and by hand (sh)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

LETTERS = list("abcdefghij")
WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
PLAIN = 47  # tasks with one small file each; with the thirteen others and facts they make the sixty
TEMPLATE = "# of {{ app }}\nname = {{ item }}\nhost = {{ ansible_hostname }}\npath = {{ base }}/a\n"

PLAY = """- hosts: all
  vars: {app: demo, conf_mode: "0644"}
  tasks:
    - file: {path: "{{ base }}", state: directory}
    - file: {path: "{{ base }}/{{ item }}", state: directory, mode: "0755"}
      loop: [a, b, c, d, e, f, g, h, i, j]
    - template: {src: t.j2, dest: "{{ base }}/a/{{ item }}.conf", mode: "{{ conf_mode }}"}
      loop: [one, two, three, four, five, six, seven, eight, nine, ten]
    - lineinfile: {path: "{{ base }}/b/lines", line: "key_{{ item }}=1", create: true, mode: "0644"}
      loop: [1, 2, 3, 4, 5, 6, 7, 8]
    - stat: {path: "{{ base }}/b/lines"}
      register: lines
    - shell: "wc -l < {{ base }}/b/lines"
      register: counted
      changed_when: false
    - assert: {that: ["lines.stat.exists", "counted.stdout | int == 8"]}
    - find: {paths: "{{ base }}", recurse: true, patterns: "*.conf"}
      register: found
    - assert: {that: ["found.matched == 10"]}
    - copy: {content: "{{ item }} {{ ansible_hostname }}\\n", dest: "{{ base }}/c/f{{ item }}", mode: "0644"}
      loop: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    - copy: {src: big5m, dest: "{{ base }}/d/big", mode: "0644"}
    - set_fact: {name_of_all: "{{ app }}-{{ ansible_distribution }}"}
"""

PYINFRA_PLAY = """import io
from pyinfra import host
from pyinfra.operations import files, server
from pyinfra.facts.server import Hostname, LinuxDistribution
from pyinfra.facts.files import File, FindFiles
base = host.data.base
name = host.get_fact(Hostname)
distribution = host.get_fact(LinuxDistribution)["name"]
files.directory(path=base)
for item in "abcdefghij":
    files.directory(path=f"{base}/{item}", mode="755")
for item in "one two three four five six seven eight nine ten".split():
    files.template(src="p.j2", dest=f"{base}/a/{item}.conf", mode="644", item=item, app="demo", ansible_hostname=name, base=base)
files.file(path=f"{base}/b/lines", mode="644")
for item in range(1, 9):
    files.line(path=f"{base}/b/lines", line=f"key_{item}=1")
host.get_fact(File, path=f"{base}/b/lines")
server.shell(commands=[f"wc -l < {base}/b/lines"])
host.get_fact(FindFiles, path=base, fname="*.conf")
for item in range(1, 11):
    files.put(src=io.StringIO(f"{item} {name}\\n"), dest=f"{base}/c/f{item}", mode="644")
files.put(src="big5m", dest=f"{base}/d/big", mode="644")
for item in range(1, PLAIN + 1):
    files.put(src=io.StringIO(f"content {item} for demo {distribution}\\n"), dest=f"{base}/e/file{item}", mode="644")
"""

BARE_HEAD = """set -eu
put() {  # path, text: owner's temporary, then rename
    if [ ! -f "$1" ] || [ "$(cat "$1")" != "$2" ]; then printf '%s\\n' "$2" > "$1.new" && mv "$1.new" "$1"; fi
    [ "$(stat -c %a "$1")" = 644 ] || chmod 644 "$1"
}
folder() { [ -d "$1" ] || mkdir "$1"; [ "$(stat -c %a "$1")" = 755 ] || chmod 755 "$1"; }
line() { grep -qxF "$2" "$1" 2>/dev/null || printf '%s\\n' "$2" >> "$1"; }
facts() { . /etc/os-release; name=$(hostname); uname -a; ip addr; df -P; cat /proc/meminfo /proc/cpuinfo; env; } >/dev/null
"""

BARE_PLAY = """facts
case $ID in debian) dist=Debian;; *) dist=$ID;; esac
folder $base
for i in a b c d e f g h i j; do folder $base/$i; done
for i in one two three four five six seven eight nine ten; do
    put $base/a/$i.conf "# of demo
name = $i
host = $name
path = $base/a"
done
for i in 1 2 3 4 5 6 7 8; do line $base/b/lines key_$i=1; done
stat $base/b/lines >/dev/null
[ "$(wc -l < $base/b/lines)" = 8 ]
[ "$(find $base -name '*.conf' | wc -l)" = 10 ]
for i in 1 2 3 4 5 6 7 8 9 10; do put $base/c/f$i "$i $name"; done
if [ "$(sha1sum < $base/d/big 2>/dev/null)" != "BIGSUM  -" ]; then cat > $base/d/big.new && mv $base/d/big.new $base/d/big; fi
i=1; while [ $i -le PLAIN ]; do put $base/e/file$i "content $i for demo $dist"; i=$((i+1)); done
"""


@dataclass(frozen=True)
class Work:
    """One work. `bare` is the hand-written script; `stdin` the file it is given in a first run."""

    name: str
    play: str
    bare: str
    pyinfra: str = ""
    first: bool = False  # measured on empty hosts
    stdin: str = ""
    files: dict[str, int] = field(default_factory=dict)


def head(gather: bool) -> str:
    return f"- hosts: all\n  gather_facts: {str(gather).lower()}\n  tasks:\n"


def sixty(tasks: int = PLAIN) -> tuple[str, str, str]:
    one = '    - name: file {0}\n      copy: {{content: "content {0} for {{{{ app }}}} {{{{ ansible_distribution }}}}\\n", dest: "{{{{ base }}}}/e/file{0}", mode: "0644"}}\n'
    play = PLAY + "".join(one.format(i) for i in range(1, tasks + 1))
    return play, BARE_HEAD + BARE_PLAY.replace("PLAIN", str(tasks)), PYINFRA_PLAY.replace("PLAIN", str(tasks))


def works() -> dict[str, Work]:
    play, bare, pyinfra = sixty()
    hundred = range(1, 101)
    commands = head(False) + "".join(f"    - command: echo {i}\n      changed_when: false\n" for i in hundred)
    touched = head(False) + '    - file: {path: "{{ base }}", state: directory}\n' + "".join(
        f'    - file: {{path: "{{{{ base }}}}/f{i}", state: directory, mode: "0755"}}\n' for i in hundred)  # fmt: skip
    loop = (
        head(False)
        + '    - file: {path: "{{ base }}", state: directory}\n    - file: {path: "{{ base }}/f{{ item }}", state: directory, mode: "0755"}\n      loop: "{{ range(200) | list }}"\n'
    )
    folders = BARE_HEAD + "folder $base\ni={0}; while [ $i -le {1} ]; do folder $base/f$i; i=$((i+1)); done\n"
    shell = "from pyinfra.operations import server, files\nfrom pyinfra import host\nbase = host.data.base\n"
    made = [
        Work("sixty-first", play, bare, pyinfra, first=True, stdin="big5m"),
        Work("sixty", play, bare, pyinfra),
        Work("facts", head(True) + "    - meta: noop\n", BARE_HEAD + "facts\n", ""),
        Work("commands", commands, "".join(f"/bin/echo {i}\n" for i in hundred), shell + "for i in range(100):\n    server.shell(commands=[f'echo {i}'])\n"),
        Work("files", touched, folders.replace("{0}", "1").replace("{1}", "100"), shell + "files.directory(path=base)\nfor i in range(1, 101):\n    files.directory(path=f'{base}/f{i}', mode='755')\n"),
        Work("loop", loop, folders.replace("{0}", "0").replace("{1}", "199"), shell + "files.directory(path=base)\nfor i in range(200):\n    files.directory(path=f'{base}/f{i}', mode='755')\n"),
        Work("big-copy", head(False) + '    - file: {path: "{{ base }}", state: directory}\n    - copy: {src: big100m, dest: "{{ base }}/big", mode: "0644"}\n',
             "mkdir -p $base; cat > $base/big.new && mv $base/big.new $base/big\n", shell + "files.put(src='big100m', dest=f'{base}/big', mode='644')\n", first=True, stdin="big100m"),
    ]  # fmt: skip
    return {work.name: work for work in made}


def written(folder: Path) -> None:
    """All works as files in a folder, where every peer finds its own."""
    import hashlib
    import random

    noise = random.Random(1)
    (folder / "t.j2").write_text(TEMPLATE)
    (folder / "p.j2").write_text(TEMPLATE)
    big = noise.randbytes(5 * 1024 * 1024)
    (folder / "big5m").write_bytes(big)
    with (folder / "big100m").open("wb") as out:
        for _ in range(100):
            out.write(noise.randbytes(1024 * 1024))
    for work in works().values():
        write_work(folder, work, hashlib.sha1(big).hexdigest())


def write_work(folder: Path, work: Work, digest: str) -> None:
    (folder / f"{work.name}.yml").write_text(work.play)
    (folder / f"{work.name}.py").write_text(work.pyinfra)
    (folder / f"{work.name}.sh").write_text(work.bare.replace("BIGSUM", digest))
