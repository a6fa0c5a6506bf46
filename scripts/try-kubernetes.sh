#!/usr/bin/env bash
# Runs what deploy/kubernetes describes, where there is no cluster: `sudo scripts/try-kubernetes.sh FOLDER`, after
# `scripts/try-image.sh FOLDER` has built the image into FOLDER. `kubectl kustomize` makes the objects. The pod is a container
# (container.sh) with the user, restrictions, environment and volumes of the StatefulSet; its probes and its preStop command
# are run as they stand there, and the ports of the Service lead to it. Prints a line for each check; ends with 1 if one fails.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:?usage: scripts/try-kubernetes.sh FOLDER}
state=$work/kubernetes
rm -rf "$state" && mkdir -p "$state"/{data,tmp} && chmod 755 "$state"
log=$state/check.log
# shellcheck source=scripts/image/checks.sh
. scripts/image/checks.sh
# shellcheck source=scripts/image/container.sh
. scripts/image/container.sh

kubectl kustomize deploy/kubernetes >"$state/objects.yaml"
pod() { node scripts/image/pod.ts "$state/objects.yaml" "$@"; }
mapfile -t options < <(pod options "$state")
mapfile -t ports < <(pod ports)
mapfile -d '' -t pre_stop < <(pod pre-stop)
say "" "${options[*]#--}"
# With `fsGroup` a volume belongs to root and to that group, which may write.
chown "root:$(pod group)" "$state"/{data,tmp}
chmod 2775 "$state/data" && chmod 2777 "$state/tmp"

bridge 10.0.0.254/24
connect fanfare 10.0.0.1/24
forward 10.0.0.1 "${ports[@]}"
# Kubernetes probes a pod at its own address.
probe() {
  local path port
  read -r path port < <(pod probe "$1")
  on host node -e 'fetch(process.argv[1]).then(({status}) => process.exit(status < 400 ? 0 : 1), () => process.exit(1))' "http://10.0.0.1:$port$path"
}
check "no probe succeeds before the server is there" refused probe startupProbe
container fanfare "${options[@]}"
for kind in startupProbe livenessProbe readinessProbe; do check "$kind succeeds" within 60 probe "$kind"; done
check "the volume's group may write, nobody else may read what is in it" test "$(stat -c %u:%a "$state/data/fanfare.db")" = "$uid:600"
secret=$(sed -n 's/^  Secret key: //p' "$state/out/fanfare" | head -1)
api() { on host node -e "$API" http://10.0.0.254:8080 "$secret" "$@"; }
made=$(api POST /re-stream/channels "$A_CHANNEL")
check "the API answers at the port of the Service" test "$(field "$made" channelName)" = tried
read -r path port < <(pod scrape)
scraped() { on host node -e 'fetch(process.argv[1]).then((answer) => answer.text()).then((text) => process.exit(/^fanfare_channels_on_air [01]$/m.test(text) ? 0 : 1))' "http://10.0.0.254:$port$path"; }
check "what the ServiceMonitor names are metrics" scraped
nsenter --net="/run/netns/$net-host" ffmpeg "${TEST_PICTURE[@]}" -t 600 "rtmp://10.0.0.254:1935/relay/$(field "$made" streamKey)" >"$state/out/ffmpeg" 2>&1 &
encoder=$!
pids+=("$encoder")
on_air() { api GET "/re-stream/channels/$(field "$made" channelId)" | grep -q '"isPublishing":true'; }
check "FFmpeg publishes at the port of the Service" within 30 on_air

# Kubernetes runs preStop inside the container, and sends SIGTERM when it is over.
inside fanfare "${pre_stop[@]}" >"$state/out/pre-stop" 2>&1 &
waiting=$!
pids+=("$waiting")
sleep 8
check "preStop waits while the channel is on air" kill -0 "$waiting"
check "which goes on" on_air
kill "$encoder"
over() { refused kill -0 "$waiting" 2>/dev/null; }
check "preStop is over when the broadcast is" within 60 over
check "with 0" wait "$waiting"
stop fanfare
check "then SIGTERM ends the server with 0" ended fanfare
check "the time for both is longer than preStop's hour" test "$(pod grace)" -gt 3600
exit "$failed"
