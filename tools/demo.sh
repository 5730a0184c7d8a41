#!/bin/bash
# The main job: weekly maintenance over real SSH on a lab, twice: it does the work, then finds nothing to do.
set -euo pipefail
cd "$(dirname "$0")/.."
opsplay=.venv/bin/opsplay
$opsplay lab status >/dev/null 2>&1 || $opsplay lab up
reduced=()
if grep -qs '^lab_reduced: true' inventories/lab/group_vars/all.yml; then
  echo "reduced: without root the hosts are folders of this user; no sudo and no apt, so package updates are left out"
  reduced=(--skip-tags packages -e @playbooks/vars/reduced_lab.yml)
fi
$opsplay run -i inventories/lab playbooks/weekly_maintenance.yml --report summary.html "${reduced[@]}"
cat <<'T'

The summary is also a page: summary.html

What to try next:
  .venv/bin/opsplay run -i inventories/lab playbooks/weekly_maintenance.yml      a second run: nothing to change
  .venv/bin/opsplay run -i inventories/lab playbooks/backup_audit.yml            broken backups, caught
  .venv/bin/opsplay verify -i inventories/lab                                    testinfra over the same connections
  .venv/bin/opsplay history list                                                 what was run
  .venv/bin/opsplay lab ssh web1                                                 look around on a host
  make down                                                                      take the lab away
T
