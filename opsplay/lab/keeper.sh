#!/bin/bash
# Keeps one guest: joins the guest's control groups, starts systemd-nspawn, and starts it again when the guest reboots.
# keeper.sh HOME ROOT COMMAND...; the environment variable CGROUPS names the groups' folders.
home=$1
shift
for group in $CGROUPS; do echo $$ >"$group/cgroup.procs"; done
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network SYSTEMD_NSPAWN_TMPFS_TMP=0
while [ ! -e "$home/stop" ]; do
  "$@" &
  echo $! >"$home/pid.new" && mv "$home/pid.new" "$home/pid"
  wait $!
  [ $? = 133 ] || break # 133: the guest asked for a reboot
done
rm -f "$home/pid"
