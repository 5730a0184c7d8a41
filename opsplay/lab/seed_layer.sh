#!/bin/bash
# Runs one seed script inside the image's layers: seed_layer.sh LOWER BUILDING SEED SCRIPT.
# Everything is mounted in namespaces of its own, so that nothing is left when this ends, however it ends.
set -euo pipefail
export LOWER=$1 BUILDING=$2 SEED=$3 SCRIPT=$4
exec unshare --mount --pid --net --ipc --uts --fork --kill-child -- bash -euc '
  root=$BUILDING/root
  hostname lab-image
  mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$BUILDING/upper,workdir=$BUILDING/work" "$root"
  mount -t proc proc "$root/proc"
  mount -t tmpfs tmpfs "$root/run"
  mount -t tmpfs tmpfs "$root/dev/shm"
  mkdir -p "$root/run/seed"
  mount --bind "$SEED" "$root/run/seed"
  ip link set lo up
  cd /
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 \
    chroot "$root" /usr/bin/python3 "/run/seed/$SCRIPT"
'
