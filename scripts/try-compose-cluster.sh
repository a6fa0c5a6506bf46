#!/usr/bin/env bash
# Runs what deploy/docker/compose.cluster.yaml describes, where there is no container engine:
# `sudo scripts/try-compose-cluster.sh FOLDER`, after `scripts/try-image.sh FOLDER` has built the image into FOLDER.
# Each service is in a network namespace of its own with the address of the file. The nodes are containers (container.sh)
# with exactly the restrictions, environment and volumes of the file. PostgreSQL, NATS and HAProxy are Debian's, with the
# commands and settings of the file; nft leads HAProxy's ports to it. Prints a line for each check; ends with 1 if one fails.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:?usage: scripts/try-compose-cluster.sh FOLDER}
export POSTGRES_PASSWORD=postgres1 NATS_PASSWORD=nats1
state=$work/cluster
rm -rf "$state" && mkdir -p "$state"/{postgres,volumes/secrets} && chmod 755 "$state"
log=$state/check.log
file=deploy/docker/compose.cluster.yaml
bin=$(pg_config --bindir 2>/dev/null || echo /usr/lib/postgresql/15/bin)
# shellcheck source=scripts/image/checks.sh
. scripts/image/checks.sh
# shellcheck source=scripts/image/container.sh
. scripts/image/container.sh

compose() { node scripts/image/compose-file.ts "$file" get "$1"; }
options_of() { node scripts/image/compose-file.ts "$file" options "$1" "$state/volumes"; }
bridge 10.0.0.254/24
connect postgres 10.0.0.20/24
connect nats 10.0.0.21/24
for name in haproxy a b c; do connect "$name" "$(compose "services.$name.networks.cluster.ipv4_address")/24"; done
mapfile -t ports < <(compose services.haproxy.ports)
forward 10.0.0.10 "${ports[@]}"

# --- the services ----------------------------------------------------------------------------------------------------

# `network_mode: none`
ip netns add "$net-secrets"
mapfile -t options < <(options_of secrets)
container secrets "${options[@]}"
check "secrets: its command ends with 0" ended secrets
check "two files, for the image's user alone" test "$(stat -c %u:%a "$state/volumes/secrets"/* | sort | uniq -c | tr -s ' ')" = " 2 $uid:600"

chown postgres "$state/postgres"
echo "$POSTGRES_PASSWORD" >"$state/password"
chmod 644 "$state/password"
as_postgres() { (cd / && setpriv --reuid postgres --regid postgres --clear-groups -- "$@"); }
as_postgres "$bin/initdb" -D "$state/postgres/data" -U fanfare -A scram-sha-256 --pwfile "$state/password" >"$state/out/initdb" 2>&1
echo "host all all 10.0.0.0/24 scram-sha-256" >>"$state/postgres/data/pg_hba.conf"
on postgres setpriv --reuid postgres --regid postgres --clear-groups -- \
  "$bin/postgres" -D "$state/postgres/data" -h '*' -k "$state/postgres" >"$state/out/postgres" 2>&1 &
pids+=($!)
check "postgres: its health check succeeds" within 30 on postgres pg_isready -h "$state/postgres" -U fanfare -d fanfare
PGPASSWORD=$POSTGRES_PASSWORD on postgres psql -q -h 10.0.0.20 -U fanfare -d postgres -c 'create database fanfare'

mapfile -t command < <(compose services.nats.command)
on nats /usr/sbin/nats-server "${command[@]}" >"$state/out/nats" 2>&1 &
pids+=($!)
nats_answers() { on nats node -e 'fetch("http://127.0.0.1:8222/healthz").then(({ok}) => process.exit(ok ? 0 : 1), () => process.exit(1))'; }
check "nats: its health check succeeds" within 30 nats_answers

start() {
  mapfile -t options < <(options_of "$1")
  container "$1" "${options[@]}"
}
for name in a b c; do start "$name"; done
for name in a b c; do check "$name: the image's health check succeeds" within 60 healthy "$name"; done
on haproxy /usr/sbin/haproxy -db -f deploy/haproxy/haproxy.cfg >"$state/out/haproxy" 2>&1 &
pids+=($!)

# --- what the cluster does -------------------------------------------------------------------------------------------

secret=$(sed -n 's/^  Secret key: //p' "$state"/out/{a,b,c} | head -1)
api() { on host node -e "$API" http://10.0.0.254:8080 "$secret" "$@"; }
check "the API answers through HAProxy, at the published port" within 30 api GET /nodes
nodes_serving() { [ "$(api GET /nodes | grep -o '"nodeState":"SERVING"' | wc -l)" = "$1" ]; }
check "three nodes serve" within 30 nodes_serving 3
key=$(field "$(api POST /re-stream/channels "$A_CHANNEL")" streamKey)
publish() {
  while :; do
    on host ffmpeg "${TEST_PICTURE[@]}" "rtmp://10.0.0.254:1935/live/$key" || true
    sleep 1
  done
}
publish >"$state/out/ffmpeg" 2>&1 &
pids+=($!)
on_air() {
  local said
  said=$(api GET "/re-stream/channels?pageNo=1&pageSizeNo=20") && grep -q '"isPublishing":true' <<<"$said"
}
check "FFmpeg publishes through HAProxy, and the channel is on air" within 60 on_air
# The node that carries the channel.
owner() {
  local said
  said=$(api GET /nodes) && node -p 'JSON.parse(process.argv[1]).content.find(({ channelCount, nodeState }) => channelCount > 0 && nodeState === "SERVING")?.nodeId ?? ""' "$said"
}
owned() { [ -n "$(owner)" ]; }
within 30 owned
first=$(owner)
say "" "node $first carries it"
crash "$first"
elsewhere() { local now; now=$(owner) && [ -n "$now" ] && [ "$now" != "$first" ] && on_air; }
check "killed, another node carries it" within 60 elsewhere
check "its container ended with a code that is not 0" refused ended "$first"
start "$first"
check "started again, the killed node serves" within 60 nodes_serving 3
carrier=$(owner)
for name in a b c; do [ "$name" = "$carrier" ] || idle=$name; done
stop "$idle"
check "the signal to stop ends node $idle, which carries nothing, with 0" ended "$idle"
check "the others go on" within 30 on_air

# A node that carries a broadcast waits for it, for FANFARE_DRAIN_SECONDS.
start "$idle"
check "node $idle serves again" within 60 nodes_serving 3
stop "$carrier"
draining() { api GET /nodes | grep -q '"nodeState":"DRAINING"'; }
check "the signal to stop makes node $carrier drain, which carries the channel" within 30 draining
check "its broadcast goes on" on_air
no_new_encoders() { refused on host node -e 'fetch(`http://${process.argv[1]}:8080/readyz?for=ingest`).then(({ok}) => process.exit(ok ? 0 : 1))' "$(compose "services.$carrier.networks.cluster.ipv4_address")"; }
check "it is not ready for other encoders" within 30 no_new_encoders
check "its container still runs" kill -0 "${inner[$carrier]}"
stop "$carrier"
check "a second signal ends it with 0" ended "$carrier"
elsewhere() { local now; now=$(owner) && [ -n "$now" ] && [ "$now" != "$carrier" ] && on_air; }
check "and another node carries the channel" within 60 elsewhere
check "no password and no secret is in their output" bash -c "! grep -lE '$POSTGRES_PASSWORD|$NATS_PASSWORD' '$state'/out/{a,b,c}"
exit "$failed"
