#!/usr/bin/env bash
# Runs deploy/systemd/fanfare.service under a real systemd: `sudo scripts/try-systemd.sh FOLDER`, after
# `scripts/try-image.sh FOLDER` has built the image into FOLDER. systemd is process 1 of a Debian root in systemd-nspawn, with
# a network of its own; Fanfare is what the image contains. Needs Debian's systemd-container. Prints a line for each check;
# ends with 1 if one fails.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:?usage: scripts/try-systemd.sh FOLDER}
[ -d "$work/root/app" ] || { echo "$work/root is not there: run scripts/try-image.sh $work"; exit 1; }
root=$work/systemd-root
machine=fanfare-try-$$
log=$work/check.log
# shellcheck source=scripts/image/checks.sh
. scripts/image/checks.sh
secret=$(new_secret)

if [ ! -e "$root/lib/systemd/systemd" ]; then
  rm -rf "$root" && cp -a "$work/base" "$root"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  chroot "$root" sh -ec 'apt-get update && apt-get install -y --no-install-recommends systemd systemd-sysv dbus' >"$work/systemd.log" 2>&1
fi
rm -rf "$root/usr/local/lib/fanfare" "$root/var/lib/private/fanfare" "$root/var/lib/fanfare"
cp -a "$work/root/app" "$root/usr/local/lib/fanfare"
chmod +x "$root/usr/local/lib/fanfare/dist/cli/main.js"
ln -sf ../lib/fanfare/dist/cli/main.js "$root/usr/local/bin/fanfare"
cp deploy/systemd/fanfare.service "$root/etc/systemd/system/"
mkdir -p "$root/etc/fanfare"
printf 'FANFARE_ACCESS_KEY=TRYSYSTEMD\nFANFARE_SECRET_KEY=%s\n' "$secret" >"$root/etc/fanfare/fanfare.env"
systemctl --root="$root" enable fanfare >/dev/null 2>&1

systemd-nspawn --quiet --boot --directory="$root" --machine="$machine" --private-network --register=no --keep-unit \
  --console=pipe </dev/null >"$work/boot.log" 2>&1 &
nspawn=$!
# The process that is 1 inside.
leader() {
  local pid
  for pid in $(pgrep -x systemd); do
    [ "$(awk '/^NSpid/ { print $NF }' "/proc/$pid/status")" = 1 ] && tr '\0' '\n' <"/proc/$pid/environ" | grep -q '^container=systemd-nspawn$' && echo "$pid" && return
  done
  return 1
}
trap 'kill -TERM "$nspawn" 2>/dev/null; wait "$nspawn" 2>/dev/null || true' EXIT
within 20 leader >/dev/null || { tail -20 "$work/boot.log"; exit 1; }
in_machine() { nsenter -t "$(leader)" -a "$@"; }
active() { [ "$(in_machine systemctl is-active fanfare)" = active ]; }
main_pid() { in_machine systemctl show -p MainPID --value fanfare; }
answers() { in_machine node -e 'fetch("http://127.0.0.1:8080/livez").then(({ok}) => process.exit(ok ? 0 : 1), () => process.exit(1))'; }
api() { in_machine node -e "$API" http://127.0.0.1:8080 "$secret" "$@"; }

say "" "$(in_machine systemctl --version | head -1)"
check "the service is active, and the API answers" within 30 answers
check "systemd says active" active
first=$(main_pid)
check "its user exists only while it runs" bash -c "! grep -q '^fanfare:' '$root/etc/passwd'"
owned() {
  local uid mode
  read -r uid mode < <(in_machine stat -c '%u %a' /var/lib/private/fanfare)
  # The range of dynamic users.
  [ "$uid" -ge 61184 ] && [ "$uid" -le 65519 ] && [ "$mode" = 700 ]
}
check "its data are in /var/lib/fanfare, for it alone" owned
check "a channel is made" api POST /re-stream/channels "$A_CHANNEL"
check "systemctl reload succeeds" in_machine systemctl reload fanfare
other() { local now; now=$(main_pid) && [ "$now" != "$first" ] && [ "$now" != 0 ] && active && answers; }
check "another process has taken over" within 30 other
second=$(main_pid)
kept() {
  local said
  said=$(api GET "/re-stream/channels?pageNo=1&pageSizeNo=20") && grep -q tried <<<"$said"
}
check "the channel is there" kept
in_machine systemctl kill --signal=KILL --kill-whom=main fanfare
back() { local now; now=$(main_pid) && [ "$now" != "$second" ] && [ "$now" != 0 ] && answers; }
check "killed, it is started again" within 30 back
check "the channel is there" kept
check "systemctl stop succeeds" in_machine systemctl stop fanfare
check "with the result success" test "$(in_machine systemctl show -p Result --value fanfare)" = success
say "" "$(in_machine systemd-analyze security fanfare.service | tail -1 | sed 's/^[^A-Za-z]*//')"
exit "$failed"
