// What one connection of the sink was given, held against the clip: every frame byte for byte, in order, at its encoder's time.
#pragma once
#include "clip.h"

enum { LATENCIES_MAX = 1 << 20 };

struct received {
  bool has_metadata, has_picture_head, has_sound_head, has_picture, has_sound;
  uint32_t first_picture, next_picture, first_ms, last_ms;
  int64_t first_due_ms;
  uint64_t next_sound, pictures, sounds;
};

/// What the connections that were given least and most were given.
struct extremes {
  uint64_t connections, pictures_least, pictures_most, sounds_least, sounds_most, first_picture_most, next_picture_least, next_sound_least;
};

static struct clip *clip;
static struct tag **pictures, **sounds;
static size_t picture_count, sound_count;
static uint64_t frames_whole, frames_wrong, frames_missing, frames_displaced, frames_headless;
static uint32_t latencies[LATENCIES_MAX];
static size_t latency_count;

static void compare_with(const char *path) {
  clip = load_clip(path);
  pictures = calloc(clip->count, sizeof *pictures);
  sounds = calloc(clip->count, sizeof *sounds);
  for (size_t index = 0; index < clip->count; index += 1) {
    struct tag *tag = &clip->tags[index];
    if (tag->type == TYPE_VIDEO) pictures[picture_count++] = tag;
    else if (tag->type == TYPE_AUDIO) sounds[sound_count++] = tag;
  }
}

/// When the clip's frame of this number is due, in its encoder's time.
static int64_t due_ms(struct tag **tags, size_t count, uint64_t number) {
  return (int64_t)(number / count) * clip->duration_ms + tags[number % count]->time_ms;
}

/// A frame is in its place where its step from the connection's first picture is the encoder's, and no frame before it lies behind it.
static void note_time(struct received *received, const struct message *message, int64_t frame_due_ms) {
  bool is_in_step = !received->has_picture || (int64_t)message->time_ms - received->first_ms == frame_due_ms - received->first_due_ms;
  if (!is_in_step || message->time_ms < received->last_ms) frames_displaced += 1;
  received->last_ms = message->time_ms;
}

/// Metadata and sequence headers, which go before anything that needs them and are those of the clip. False for frames.
static bool note_head(struct received *received, const struct message *message) {
  if (message->type == TYPE_DATA) received->has_metadata = true;
  if (message->type != TYPE_VIDEO && message->type != TYPE_AUDIO) return true;
  if (message->length < 2 || message->payload[1] != 0) return false;
  bool is_same = false;
  for (size_t index = 0; index < clip->head_count; index += 1) {
    const struct tag *head = &clip->heads[index];
    if (head->type != message->type || head->length != message->length) continue;
    if (memcmp(head->payload, message->payload, head->length) == 0) is_same = true;
  }
  if (!is_same) frames_wrong += 1;
  if (message->type == TYPE_VIDEO) received->has_picture_head = true;
  else received->has_sound_head = true;
  return true;
}

static void note_picture(struct received *received, const struct message *message) {
  int64_t sent_us;
  uint32_t number;
  if (!read_stamp(message->payload, message->length, &sent_us, &number)) {
    // The end mark carries no stamp.
    if (message->length > 1 && message->payload[1] == 1) frames_wrong += 1;
    return;
  }
  if (latency_count < LATENCIES_MAX) latencies[latency_count++] = (uint32_t)(now_us() - sent_us);
  const struct tag *tag = pictures[number % picture_count];
  bool is_same = message->length == tag->length + STAMP_BYTES && memcmp(message->payload, tag->payload, STAMP_AT) == 0 &&
                 memcmp(message->payload + STAMP_AT + STAMP_BYTES, tag->payload + STAMP_AT, tag->length - STAMP_AT) == 0;
  if (is_same) frames_whole += 1;
  else frames_wrong += 1;
  if (!received->has_metadata || !received->has_picture_head) frames_headless += 1;
  if (received->has_picture && number != received->next_picture) {
    if (number > received->next_picture) frames_missing += number - received->next_picture;
    else frames_wrong += 1;
  }
  int64_t picture_due_ms = due_ms(pictures, picture_count, number);
  note_time(received, message, picture_due_ms);
  if (!received->has_picture) {
    received->first_picture = number;
    received->first_ms = message->time_ms;
    received->first_due_ms = picture_due_ms;
  }
  received->pictures += 1;
  received->has_picture = true;
  received->next_picture = number + 1;
}

static bool is_sound(const struct message *message, uint64_t number) {
  const struct tag *tag = sounds[number % sound_count];
  return message->length == tag->length && memcmp(message->payload, tag->payload, tag->length) == 0;
}

/// Which of the encoder's sounds a connection's first one is: by its time where that is known, since sounds may be alike.
static uint64_t first_sound(const struct received *received, const struct message *message) {
  int64_t sound_due_ms = (int64_t)message->time_ms - received->first_ms + received->first_due_ms;
  if (received->has_picture && sound_due_ms >= 0) {
    uint64_t number = (uint64_t)sound_due_ms / clip->duration_ms * sound_count;
    for (uint64_t end = number + sound_count; number < end; number += 1) {
      if (due_ms(sounds, sound_count, number) == sound_due_ms && is_sound(message, number)) return number;
    }
  }
  uint64_t number = 0;
  while (number < sound_count && !is_sound(message, number)) number += 1;
  return number;
}

static void note_sound(struct received *received, const struct message *message) {
  if (!received->has_sound) received->next_sound = first_sound(received, message);
  received->has_sound = true;
  if (!received->has_metadata || !received->has_sound_head) frames_headless += 1;
  for (uint64_t ahead = 0; ahead < sound_count; ahead += 1) {
    uint64_t number = received->next_sound + ahead;
    if (!is_sound(message, number)) continue;
    if (ahead == 0) frames_whole += 1;
    frames_missing += ahead;
    note_time(received, message, due_ms(sounds, sound_count, number));
    received->next_sound = number + 1;
    received->sounds += 1;
    return;
  }
  frames_wrong += 1;
}

/// Any message but a command.
static void note(struct received *received, const struct message *message) {
  if (note_head(received, message)) return;
  if (message->type == TYPE_VIDEO) note_picture(received, message);
  else note_sound(received, message);
}

static void tally(struct extremes *of, const struct received *received) {
  bool is_first = of->connections == 0;
  if (is_first || received->pictures < of->pictures_least) of->pictures_least = received->pictures;
  if (is_first || received->sounds < of->sounds_least) of->sounds_least = received->sounds;
  if (is_first || received->next_picture < of->next_picture_least) of->next_picture_least = received->next_picture;
  if (is_first || received->next_sound < of->next_sound_least) of->next_sound_least = received->next_sound;
  if (received->pictures > of->pictures_most) of->pictures_most = received->pictures;
  if (received->sounds > of->sounds_most) of->sounds_most = received->sounds;
  if (received->first_picture > of->first_picture_most) of->first_picture_most = received->first_picture;
  of->connections += 1;
}
