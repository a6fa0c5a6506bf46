#!/usr/bin/env bash
# Runs Fanfare's own tests with the programs of the container image: `sudo scripts/try-image-tests.sh FOLDER`, after
# `scripts/try-image.sh FOLDER` has built the image into FOLDER. Each run of FFmpeg, and each server of the end-to-end tests, is
# a process in the image's root, which cannot be written; the tests' encoders, sources and platforms are this machine's.
# Needs what `npm test` needs.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:?usage: scripts/try-image-tests.sh FOLDER}
root=$work/root
[ -d "$root/app" ] || { echo "$root is not there: run scripts/try-image.sh $work"; exit 1; }
mkdir -p "$work/tested"
for program in ffmpeg ffprobe; do
  printf '#!/bin/sh\nexec chroot "%s" /usr/local/bin/%s "$@"\n' "$root" "$program" >"$work/tested/$program"
done
printf '#!/bin/sh\nexec chroot "%s" /usr/bin/env -C /app MALLOC_MMAP_THRESHOLD_=131072 node --max-semi-space-size=4 dist/cli/main.js "$@"\n' "$root" >"$work/tested/server"
chmod +x "$work"/tested/*

# with_image FOLDER-OR-FILE…: tests in a mount namespace where the image's root has this machine's /tmp.
with_image() {
  unshare --mount bash -ec '
    root=$1
    shift
    mount --bind "$root" "$root"
    mount --bind /tmp "$root/tmp"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -o remount,bind,ro "$root"
    exec node node_modules/vitest/vitest.mjs run "$@"' _ "$root" "$@"
}
# Every use of FFmpeg: formats, pictures, playing, slates of each codec, pulls from real servers, hostile input.
FANFARE_TESTED_FFMPEG=$work/tested with_image test/sources test/media-files
# The whole server: files, slates, pulls and schedules on air, recordings, stops and kills.
FANFARE_TESTED_SERVER=$work/tested/server with_image test/e2e/sources test/e2e/broadcast/recording.test.ts \
  test/e2e/process/shutdown.test.ts test/e2e/process/kill-nine.test.ts
# Traces of the whole server.
FANFARE_TESTED_SERVER=$work/tested/server with_image test/app/control-thread/traces.system.test.ts
