#!/bin/bash
# Prepares an EC2 instance with Amazon Linux 2023 for the judge's enclave: c5.xlarge has 4 vCPUs and 8 GiB, of which
# the enclave gets 2 and 4 GiB. May be run again: what is as it should be stays. After AWS's documentation; it was
# never run on hardware.
#
#     sudo nitro/ec2/setup.sh [USER]
#
# USER (default: who called sudo) may then use nitro-cli without root.
set -euo pipefail

CPUS=2
MEMORY_MIB=4096
CONFIG=/etc/nitro_enclaves/allocator.yaml
POOL=/sys/module/nitro_enclaves/parameters/ne_cpus
UNITS=/etc/systemd/system
IMAGES=/var/lib/vramhub

fail() {
  echo "error: $*" >&2
  exit 1
}

[ "$(id -u)" -eq 0 ] || fail "run it as root: sudo $0"
user=${1:-${SUDO_USER:-}}
[ -n "$user" ] || fail "name the user who runs the validator: $0 USER"
id "$user" >/dev/null 2>&1 || fail "there is no user '$user'"
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
# Where systemd looks; sudo's own path is shorter.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
command -v deno >/dev/null || fail "install Deno first: dnf install -y nodejs && npm install -g deno@2.9.6"

command -v nitro-cli >/dev/null || dnf install -y aws-nitro-enclaves-cli
[ -e /dev/nitro_enclaves ] || modprobe nitro_enclaves ||
  fail "no enclave support: start the instance with --enclave-options Enabled=true"

getent group ne >/dev/null || fail "aws-nitro-enclaves-cli made no group 'ne'"
id -nG "$user" | tr ' ' '\n' | grep -qx ne || {
  usermod -aG ne "$user"
  echo "'$user' is in the group 'ne' from the next login on"
}

wanted=$(printf -- '---\nmemory_mib: %s\ncpu_count: %s\n' "$MEMORY_MIB" "$CPUS")
if [ "$(cat "$CONFIG" 2>/dev/null)" != "$wanted" ]; then
  [ ! -e "$CONFIG" ] || cp -p "$CONFIG" "$CONFIG.before-vramhub"
  install -d -m 0755 "$(dirname "$CONFIG")"
  printf '%s\n' "$wanted" >"$CONFIG"
  changed=1
fi

systemctl enable --quiet nitro-enclaves-allocator.service
if [ -n "${changed:-}" ] || ! systemctl is-active --quiet nitro-enclaves-allocator.service; then
  # Memory that is in use and a pool that stays empty both look like success or like E36 later: look now.
  systemctl restart nitro-enclaves-allocator.service ||
    echo "the allocator failed: journalctl -u nitro-enclaves-allocator" >&2
fi

# How many CPUs a list such as 1,3 or 2-3 names.
count_cpus() {
  local total=0 part
  for part in ${1//,/ }; do
    case $part in
    *-*) total=$((total + ${part#*-} - ${part%-*} + 1)) ;;
    *) total=$((total + 1)) ;;
    esac
  done
  echo "$total"
}

pool=$(cat "$POOL" 2>/dev/null || true)
reboot=
[ "$(count_cpus "$pool")" -ge "$CPUS" ] || {
  echo "The CPU pool is '$pool': $CPUS CPUs are wanted."
  reboot=1
}
huge_kib=$(awk '/^Hugetlb:/ { print $2 }' /proc/meminfo)
[ "${huge_kib:-0}" -ge $((MEMORY_MIB * 1024)) ] || {
  echo "Huge pages hold ${huge_kib:-0} KiB: $((MEMORY_MIB * 1024)) are wanted."
  reboot=1
}

install -d -m 0755 "$IMAGES"
for unit in vramhub-enclave.service vramhub-spot.service; do
  sed -e "s|@REPOSITORY@|$repository|g" -e "s|@USER@|$user|g" "$here/$unit" >"$UNITS/$unit.new"
  if cmp -s "$UNITS/$unit.new" "$UNITS/$unit"; then
    rm "$UNITS/$unit.new"
  else
    mv "$UNITS/$unit.new" "$UNITS/$unit"
    systemctl daemon-reload
  fi
done

if [ -n "$reboot" ]; then
  echo "Reboot once: the allocator then takes its share before anything else does. Then run this again." >&2
  exit 3
fi
echo "Ready. The image: $IMAGES/judge.eif. Then: systemctl enable --now vramhub-enclave.service"
