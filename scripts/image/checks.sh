# Sourced by the scripts try-*.sh. `check` prints a line for each check and sets `failed`. Needs $log, the path of a file.
failed=0

say() { printf '%-6s %s\n' "$1" "$2"; }
check() { # check WHAT COMMAND…
  local what=$1
  shift
  if "$@" >"$log" 2>&1; then say ok "$what"; else
    failed=1
    say FAILED "$what"
    tail -5 "$log"
  fi
}
refused() { ! "$@"; }
within() { # within SECONDS COMMAND…
  local until=$((SECONDS + $1))
  shift
  until "$@"; do [ "$SECONDS" -lt "$until" ] && sleep 0.3 || return 1; done
}
new_secret() { head -c 20 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
# JavaScript of a client: `node -e "$API" ORIGIN SECRET METHOD PATH [BODY]` prints the answer; it ends with 1 for a refusal.
API='
  const [origin, secret, method, path, body] = process.argv.slice(1);
  const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
  fetch(`${origin}/api/v2${path}`, { method, headers, body }).then(async (answer) => {
    console.log(await answer.text());
    process.exitCode = answer.ok ? 0 : 1;
  }, (error) => { console.error(error); process.exitCode = 1; });'
# A channel with a platform that does not answer.
A_CHANNEL='{"channelName":"tried","planType":"STANDARD","envType":"REAL","restream":[{"targetName":"CUSTOM","rtmpUrl":"rtmp://10.0.0.99/app","streamKey":"a"}]}'
field() { node -p 'JSON.parse(process.argv[1]).content[process.argv[2]]' "$1" "$2"; }
# Options of FFmpeg for an encoder with a test picture and a tone; the address follows.
TEST_PICTURE=(-v error -nostdin -re -f lavfi -i testsrc2=size=640x360:rate=25 -f lavfi -i sine=sample_rate=48000
  -c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac -f flv)
