#!/usr/bin/env bash
# Runs what deploy/docker/compose.yaml describes, where there is no container engine: `sudo scripts/try-compose.sh FOLDER`,
# after `scripts/try-image.sh FOLDER` has built the image into FOLDER. The container has exactly the restrictions,
# environment and volumes of the file; nft leads the file's ports to it. FFmpeg and nginx of this machine are encoder and
# platform. Prints a line for each check; ends with 1 if one fails.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:?usage: scripts/try-compose.sh FOLDER}
state=$work/compose
rm -rf "$state" && mkdir -p "$state" && chmod 755 "$state"
log=$state/check.log
file=deploy/docker/compose.yaml
# shellcheck source=scripts/image/checks.sh
. scripts/image/checks.sh
# shellcheck source=scripts/image/container.sh
. scripts/image/container.sh

compose() { node scripts/image/compose-file.ts "$file" get "$1"; }
mapfile -t options < <(node scripts/image/compose-file.ts "$file" options fanfare "$state/volumes")
mapfile -t ports < <(compose services.fanfare.ports)
restart=$(compose services.fanfare.restart)
grace=$(compose services.fanfare.stop_grace_period)
grace=${grace%s}
# The file lets Fanfare reach public platforms alone; this machine's nginx is at a private address.
options+=(--env=FANFARE_TARGET_ALLOW=10.0.0.254/32)
say "" "${options[*]#--}"

bridge 10.0.0.254/24
connect fanfare 10.0.0.1/24
forward 10.0.0.1 "${ports[@]}"
start() { container fanfare "${options[@]}"; }
start
healthy_often() { # As the engine asks: three times in a row.
  for _ in 1 2 3; do healthy fanfare || return 1; done
}
check "it becomes healthy" within 30 healthy_often
secret=$(sed -n 's/^  Secret key: //p' "$state/out/fanfare" | head -1)
api() { on host node -e "$API" http://10.0.0.254:8080 "$secret" "$@"; }
check "the first start prints a key that the API takes, at the published port" within 10 api GET "/re-stream/channels?pageNo=1&pageSizeNo=20"
limit() { awk '/^Max open files/ { print $4 }' "/proc/$(pgrep -P "${inner[fanfare]}")/limits"; }
descriptors=$(compose services.fanfare.ulimits.nofile)
# A machine whose own limit cannot be raised has that one.
(ulimit -n "$descriptors") 2>/dev/null || descriptors=$(ulimit -Hn)
check "it may have $descriptors descriptors" test "$(limit)" = "$descriptors"
made=$(api POST /re-stream/channels "$A_CHANNEL")
channel_id=$(field "$made" channelId)
check "encoders are shown the address of FANFARE_PUBLIC_HOST" test "$(field "$made" publishUrl)" = rtmp://localhost:1935/relay
check "a broadcast from FFmpeg to nginx, recorded, with a slate" \
  on host node test/lab/container-broadcast.ts 10.0.0.254 "$(sed -n 's/^  Access key: //p' "$state/out/fanfare")" "$secret" "$state/broadcast"
say "" "$(tail -1 "$log")"

publish() {
  while :; do
    on host ffmpeg "${TEST_PICTURE[@]}" "rtmp://10.0.0.254:1935/relay/$(field "$made" streamKey)" || true
    sleep 1
  done
}
publish >"$state/out/ffmpeg" 2>&1 &
pids+=($!)
on_air() { api GET "/re-stream/channels/$channel_id" | grep -q '"isPublishing":true'; }
check "an encoder that comes back by itself is on air" within 30 on_air
crash fanfare
check "kill -9 ends the container with a code that is not 0" refused ended fanfare
check "the file says that it is started again ($restart)" test "$restart" = unless-stopped
start
check "it becomes healthy on the data that the kill left" within 30 healthy_often
check "the encoder is back on air" within 30 on_air
before=$(date +%s%N)
stop fanfare
check "it stops on air with 0" ended fanfare
took=$((($(date +%s%N) - before) / 1000000))
check "in $took ms, within the file's ${grace} s" test "$took" -lt $((grace * 1000))
check "it stopped in order" grep -q '"stopped"' "$state/out/fanfare"
exit "$failed"
