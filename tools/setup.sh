#!/bin/bash
# Sets up everything that `make demo` and `make test` need: Debian packages (as root on Debian), a virtual environment, opsplay in it.
# usage: tools/setup.sh demo|test
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:?demo or test}
venv=.venv

lab_packages=(systemd-container mmdebstrap openssh-client openssh-server iproute2 nftables sudo procps)
test_packages=(postgresql-15 postgresql-client-15 redis-server mariadb-server-core mariadb-client chromium logrotate acl attr e2fsprogs rsync git
               subversion)

missing_packages() {
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

install_packages() {
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" != 0 ]; then
    echo "reduced: not root, so these Debian packages stay away: ${missing[*]}"
    return
  fi
  echo "installing Debian packages: ${missing[*]}"
  # Services of the build machine are none of ours: packages must not start them.
  policy=/usr/sbin/policy-rc.d
  made=""
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' > $policy; chmod 755 $policy; made=1; }
  trap '[ -z "$made" ] || rm -f '$policy EXIT
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > .setup.log 2>&1 || { tail -20 .setup.log >&2; exit 1; }
  rm -f .setup.log
  [ -z "$made" ] || rm -f $policy
  trap - EXIT
}

find_python() {
  for candidate in python3.13 python3.12 python3.11 python3; do
    command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$candidate"; return; }
  done
  echo "error: opsplay needs Python 3.11 or newer; install python3 (Debian 12 has 3.11) and run again" >&2
  exit 1
}

stamp=$venv/.ready-$(sha256sum pyproject.toml | cut -c1-12)
if [ ! -e "$stamp" ]; then
  rm -f "$venv"/.ready-*
  if command -v uv >/dev/null; then
    [ -d $venv ] || uv venv -q --python '>=3.11' $venv
    uv pip install -q --python $venv/bin/python -e '.[dev]'
  else
    if command -v apt-get >/dev/null && ! "$(find_python)" -c 'import ensurepip, venv' 2>/dev/null; then install_packages python3-venv; fi
    [ -x $venv/bin/python ] || "$(find_python)" -m venv $venv
    $venv/bin/python -m pip install -q --disable-pip-version-check -e '.[dev]'
  fi
  touch "$stamp"
fi
if command -v apt-get >/dev/null; then
  install_packages "${lab_packages[@]}"
  [ "$purpose" = demo ] || install_packages "${test_packages[@]}"
fi
