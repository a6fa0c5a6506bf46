// The clip that the load encoder sends in a loop and the sink compares with: an FLV file of H.264 and AAC.
#pragma once
#include "rtmp.h"

struct tag {
  int type;
  uint32_t time_ms;
  size_t length;
  uint8_t *payload;
};

struct clip {
  struct tag *tags;
  size_t count;
  /// Metadata and sequence headers, sent once.
  struct tag heads[8];
  size_t head_count;
  /// How long one round takes.
  uint32_t duration_ms;
};

static bool is_avc(const struct tag *tag) { return tag->type == TYPE_VIDEO && tag->length > 5 && (tag->payload[0] & 15) == 7; }

static void add_tag(struct clip *clip, struct tag tag) {
  bool is_head = tag.type == TYPE_DATA || (tag.length > 1 && tag.payload[1] == 0 && (is_avc(&tag) || tag.type == TYPE_AUDIO));
  if (is_head) {
    if (clip->head_count < 8) clip->heads[clip->head_count++] = tag;
    return;
  }
  // The end mark of a file does not count as a frame.
  if (tag.type == TYPE_VIDEO && tag.payload[1] != 1) return;
  clip->tags = realloc(clip->tags, (clip->count + 1) * sizeof tag);
  clip->tags[clip->count++] = tag;
}

static struct clip *load_clip(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail(path);
  struct clip *clip = calloc(1, sizeof *clip);
  uint8_t head[13], header[11];
  uint32_t first_ms = UINT32_MAX, last_ms = 0;
  size_t video_frames = 0;
  if (fread(head, 1, 13, file) != 13 || memcmp(head, "FLV", 3) != 0) fail("not an FLV file");
  while (fread(header, 1, 11, file) == 11) {
    struct tag tag = {header[0] & 31, u24(header + 4) | (uint32_t)header[7] << 24, u24(header + 1), NULL};
    tag.payload = malloc(tag.length + 4);
    if (fread(tag.payload, 1, tag.length + 4, file) != tag.length + 4) break;
    if (tag.type == TYPE_VIDEO && tag.payload[1] == 1) {
      if (first_ms == UINT32_MAX) first_ms = tag.time_ms;
      if (tag.time_ms > last_ms) last_ms = tag.time_ms;
      video_frames += 1;
    }
    add_tag(clip, tag);
  }
  fclose(file);
  if (video_frames < 2) fail("a clip needs video");
  clip->duration_ms = (uint32_t)((uint64_t)(last_ms - first_ms) * video_frames / (video_frames - 1));
  // Audio may be longer than video: where the next round begins, time must not go back.
  while (clip->tags[clip->count - 1].time_ms > clip->tags[0].time_ms + clip->duration_ms) clip->count -= 1;
  return clip;
}

// Each video frame carries when it was sent and its number, as an SEI message that every decoder skips: no sync code
// can arise from hexadecimal digits, so nothing needs escaping.

enum { STAMP_BYTES = 48, STAMP_AT = 5 };
static const uint8_t STAMP_HEAD[] = {0, 0, 0, 44, 6, 5, 40, 'f', 'a', 'n', 'f', 'a', 'r', 'e', ' ', 'b', 'e', 'n', 'c', 'h', ' ', '0', '1'};

static void write_stamp(uint8_t *to, int64_t sent_us, uint32_t number) {
  char digits[25];
  memcpy(to, STAMP_HEAD, sizeof STAMP_HEAD);
  snprintf(digits, sizeof digits, "%016llx%08x", (unsigned long long)sent_us, number);
  memcpy(to + sizeof STAMP_HEAD, digits, 24);
  to[STAMP_BYTES - 1] = 0x80;
}

static bool read_stamp(const uint8_t *payload, size_t length, int64_t *sent_us, uint32_t *number) {
  if (length < STAMP_AT + STAMP_BYTES || memcmp(payload + STAMP_AT, STAMP_HEAD, sizeof STAMP_HEAD) != 0) return false;
  char digits[25] = {0};
  memcpy(digits, payload + STAMP_AT + sizeof STAMP_HEAD, 24);
  *number = (uint32_t)strtoul(digits + 16, NULL, 16);
  digits[16] = 0;
  *sent_us = (int64_t)strtoull(digits, NULL, 16);
  return true;
}
