// What one connection of the sink got, compared with the clip: every frame byte for byte, in order, at its encoder's
// time.
#pragma once
#include "clip.h"

enum { LATENCIES_MAX = 1 << 20 };

struct received {
  bool has_metadata, has_video_header, has_audio_header, has_video, has_audio;
  uint32_t first_video, next_video, first_ms, last_ms;
  int64_t first_due_ms;
  uint64_t next_audio, video_frames, audio_frames;
};

/// The figures of the connections that got least and most.
struct extremes {
  uint64_t connections, video_least, video_most, audio_least, audio_most, first_video_most, next_video_least, next_audio_least;
};

static struct clip *clip;
static struct tag **video_frames, **audio_frames;
static size_t video_count, audio_count;
static uint64_t frames_whole, frames_wrong, frames_missing, frames_displaced, frames_headless;
static uint32_t latencies[LATENCIES_MAX];
static size_t latency_count;

static void compare_with(const char *path) {
  clip = load_clip(path);
  video_frames = calloc(clip->count, sizeof *video_frames);
  audio_frames = calloc(clip->count, sizeof *audio_frames);
  for (size_t index = 0; index < clip->count; index += 1) {
    struct tag *tag = &clip->tags[index];
    if (tag->type == TYPE_VIDEO) video_frames[video_count++] = tag;
    else if (tag->type == TYPE_AUDIO) audio_frames[audio_count++] = tag;
  }
}

/// When the clip's frame of this number is due, in its encoder's time.
static int64_t due_ms(struct tag **tags, size_t count, uint64_t number) {
  return (int64_t)(number / count) * clip->duration_ms + tags[number % count]->time_ms;
}

/// A frame is in its place where its step from the connection's first video frame is the encoder's, and no earlier
/// frame has a later time.
static void note_time(struct received *received, const struct message *message, int64_t frame_due_ms) {
  bool is_in_step = !received->has_video || (int64_t)message->time_ms - received->first_ms == frame_due_ms - received->first_due_ms;
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
  if (message->type == TYPE_VIDEO) received->has_video_header = true;
  else received->has_audio_header = true;
  return true;
}

static void note_video(struct received *received, const struct message *message) {
  int64_t sent_us;
  uint32_t number;
  if (!read_stamp(message->payload, message->length, &sent_us, &number)) {
    // The end mark carries no stamp.
    if (message->length > 1 && message->payload[1] == 1) frames_wrong += 1;
    return;
  }
  if (latency_count < LATENCIES_MAX) latencies[latency_count++] = (uint32_t)(now_us() - sent_us);
  const struct tag *tag = video_frames[number % video_count];
  bool is_same = message->length == tag->length + STAMP_BYTES && memcmp(message->payload, tag->payload, STAMP_AT) == 0 &&
                 memcmp(message->payload + STAMP_AT + STAMP_BYTES, tag->payload + STAMP_AT, tag->length - STAMP_AT) == 0;
  if (is_same) frames_whole += 1;
  else frames_wrong += 1;
  if (!received->has_metadata || !received->has_video_header) frames_headless += 1;
  if (received->has_video && number != received->next_video) {
    if (number > received->next_video) frames_missing += number - received->next_video;
    else frames_wrong += 1;
  }
  int64_t video_due_ms = due_ms(video_frames, video_count, number);
  note_time(received, message, video_due_ms);
  if (!received->has_video) {
    received->first_video = number;
    received->first_ms = message->time_ms;
    received->first_due_ms = video_due_ms;
  }
  received->video_frames += 1;
  received->has_video = true;
  received->next_video = number + 1;
}

static bool is_audio(const struct message *message, uint64_t number) {
  const struct tag *tag = audio_frames[number % audio_count];
  return message->length == tag->length && memcmp(message->payload, tag->payload, tag->length) == 0;
}

/// Which of the encoder's audio frames a connection's first one is: by its time where that is known, since audio frames
/// may be alike.
static uint64_t first_audio(const struct received *received, const struct message *message) {
  int64_t audio_due_ms = (int64_t)message->time_ms - received->first_ms + received->first_due_ms;
  if (received->has_video && audio_due_ms >= 0) {
    uint64_t number = (uint64_t)audio_due_ms / clip->duration_ms * audio_count;
    for (uint64_t end = number + audio_count; number < end; number += 1) {
      if (due_ms(audio_frames, audio_count, number) == audio_due_ms && is_audio(message, number)) return number;
    }
  }
  uint64_t number = 0;
  while (number < audio_count && !is_audio(message, number)) number += 1;
  return number;
}

static void note_audio(struct received *received, const struct message *message) {
  if (!received->has_audio) received->next_audio = first_audio(received, message);
  received->has_audio = true;
  if (!received->has_metadata || !received->has_audio_header) frames_headless += 1;
  for (uint64_t ahead = 0; ahead < audio_count; ahead += 1) {
    uint64_t number = received->next_audio + ahead;
    if (!is_audio(message, number)) continue;
    if (ahead == 0) frames_whole += 1;
    frames_missing += ahead;
    note_time(received, message, due_ms(audio_frames, audio_count, number));
    received->next_audio = number + 1;
    received->audio_frames += 1;
    return;
  }
  frames_wrong += 1;
}

/// Any message but a command.
static void note(struct received *received, const struct message *message) {
  if (note_head(received, message)) return;
  if (message->type == TYPE_VIDEO) note_video(received, message);
  else note_audio(received, message);
}

static void tally(struct extremes *of, const struct received *received) {
  bool is_first = of->connections == 0;
  if (is_first || received->video_frames < of->video_least) of->video_least = received->video_frames;
  if (is_first || received->audio_frames < of->audio_least) of->audio_least = received->audio_frames;
  if (is_first || received->next_video < of->next_video_least) of->next_video_least = received->next_video;
  if (is_first || received->next_audio < of->next_audio_least) of->next_audio_least = received->next_audio;
  if (received->video_frames > of->video_most) of->video_most = received->video_frames;
  if (received->audio_frames > of->audio_most) of->audio_most = received->audio_frames;
  if (received->first_video > of->first_video_most) of->first_video_most = received->first_video;
  of->connections += 1;
}
