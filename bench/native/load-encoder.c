// Many encoders in one process. Usage: load-encoder CLIP SPEED [ROUNDS] < CHANNELS, a channel a line: [ADDRESS:]PORT APP
// KEY. The channels are spread evenly over two seconds, so that their keyframes do not meet. Prints "ready" once all
// publish.
// With ROUNDS every channel sends the same number of rounds of the clip: so many, from the round in which a further
// line came on standard input. Then each ends its stream as encoders do. After that, or on SIGTERM, it prints how much
// it sent, and ends.
#include "clip.h"
#include <signal.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

enum { TICK_US = 2000, SPREAD_US = 2000000, CHUNK_BYTES = 4096, BACKLOG_BYTES_MAX = 64 << 20, CHANNELS_MAX = 4096 };

struct channel {
  int fd;
  uint32_t stream_id;
  int64_t start_us;
  size_t next;
  uint64_t round;
  uint32_t video_frames;
  struct bytes waiting;
  size_t sent;
  bool has_begun, is_over;
};

static struct channel channels[CHANNELS_MAX];
static int channel_count, ended_count;
static uint64_t bytes_sent, frames_sent, rounds_max;
static bool may_end;
static volatile sig_atomic_t is_over;

static void end(int signal_number) {
  (void)signal_number;
  is_over = 1;
}

static void flush(struct channel *channel) {
  struct bytes *waiting = &channel->waiting;
  while (channel->sent < waiting->length) {
    ssize_t sent = send(channel->fd, waiting->at + channel->sent, waiting->length - channel->sent, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) break;
      fail("the server ended a broadcast");
    }
    channel->sent += (size_t)sent;
    bytes_sent += (uint64_t)sent;
  }
  if (channel->sent == waiting->length) {
    waiting->length = channel->sent = 0;
  } else if (waiting->length - channel->sent > BACKLOG_BYTES_MAX) {
    errno = 0;
    fail("the server does not keep up: 64 MiB wait for it");
  } else if (channel->sent > 1 << 20) {
    memmove(waiting->at, waiting->at + channel->sent, waiting->length - channel->sent);
    waiting->length -= channel->sent;
    channel->sent = 0;
  }
}

static void put_tag(struct channel *channel, const struct tag *tag, uint32_t time_ms) {
  int chunk_stream = tag->type == TYPE_AUDIO ? 4 : tag->type == TYPE_VIDEO ? 6 : 5;
  put_message(&channel->waiting, chunk_stream, tag->type, channel->stream_id, time_ms, tag->payload, tag->length, CHUNK_BYTES);
}

static void begin(struct channel *channel, const struct clip *clip) {
  uint8_t size[4] = {0, 0, CHUNK_BYTES >> 8, CHUNK_BYTES & 255};
  put_message(&channel->waiting, 2, TYPE_SET_CHUNK_SIZE, 0, 0, size, 4, CHUNK_BYTES_DEFAULT);
  for (size_t index = 0; index < clip->head_count; index += 1) {
    struct tag head = clip->heads[index];
    if (head.type == TYPE_DATA) {
      struct bytes data = {0};
      amf_string(&data, "@setDataFrame");
      put(&data, head.payload, head.length);
      head.payload = data.at;
      head.length = data.length;
      put_tag(channel, &head, 0);
      free(data.at);
    } else {
      put_tag(channel, &head, 0);
    }
  }
  channel->has_begun = true;
}

/// Ends the stream and this side of the connection; the server closes its own once it has read all of it.
static void finish(struct channel *channel) {
  struct bytes command = {0};
  amf_string(&command, "deleteStream");
  amf_number(&command, 0);
  amf_null(&command);
  amf_number(&command, channel->stream_id);
  put_command(&channel->waiting, 0, &command);
  free(command.at);
  channel->is_over = true;
}

static void send_due(struct channel *channel, const struct clip *clip, int64_t at_us, double speed) {
  static uint8_t *video_frame;
  static size_t frame_room;
  if (at_us < channel->start_us || channel->fd < 0) return;
  if (channel->is_over) {
    flush(channel);
    if (channel->waiting.length == 0) shutdown(channel->fd, SHUT_WR);
    return;
  }
  if (!channel->has_begun) begin(channel, clip);
  double media_ms = (double)(at_us - channel->start_us) / 1000 * speed;
  for (;;) {
    const struct tag *tag = &clip->tags[channel->next];
    uint64_t time_ms = channel->round * clip->duration_ms + tag->time_ms;
    if ((double)time_ms > media_ms) break;
    if (is_avc(tag)) {
      if (tag->length + STAMP_BYTES > frame_room) {
        frame_room = (tag->length + STAMP_BYTES) * 2;
        video_frame = realloc(video_frame, frame_room);
      }
      memcpy(video_frame, tag->payload, STAMP_AT);
      write_stamp(video_frame + STAMP_AT, now_us(), channel->video_frames++);
      memcpy(video_frame + STAMP_AT + STAMP_BYTES, tag->payload + STAMP_AT, tag->length - STAMP_AT);
      struct tag stamped = {tag->type, tag->time_ms, tag->length + STAMP_BYTES, video_frame};
      put_tag(channel, &stamped, (uint32_t)time_ms);
    } else {
      put_tag(channel, tag, (uint32_t)time_ms);
    }
    frames_sent += 1;
    // An encoder writes every frame as it is done.
    flush(channel);
    channel->next += 1;
    if (channel->next == clip->count) {
      channel->next = 0;
      channel->round += 1;
      if (channel->round == rounds_max) {
        if (may_end) return finish(channel);
        rounds_max += 1;
      }
    }
  }
  flush(channel);
}

static void tell_totals(const struct clip *clip) {
  uint64_t video_frames = 0, audio_frames = 0, early_audio_frames = 0;
  for (size_t index = 0; index < clip->count; index += 1) {
    if (clip->tags[index].type == TYPE_VIDEO) video_frames += 1;
    else audio_frames += 1;
    if (video_frames == 0) early_audio_frames = audio_frames;
  }
  printf("{\"channels\":%d,\"frames\":%llu,\"bytes\":%llu,\"videoFrames\":%llu,\"audioFrames\":%llu,\"earlyAudioFrames\":%llu}\n", channel_count,
         (unsigned long long)frames_sent, (unsigned long long)bytes_sent, (unsigned long long)(video_frames * rounds_max),
         (unsigned long long)(audio_frames * rounds_max), (unsigned long long)early_audio_frames);
}

// Called once, when standard input has something to say, or ends. No channel has finished before that.
static void allow_end(uint64_t rounds) {
  uint64_t round = 0;
  for (int index = 0; index < channel_count; index += 1) {
    if (channels[index].round > round) round = channels[index].round;
  }
  if (round + rounds > rounds_max) rounds_max = round + rounds;
  may_end = true;
}

int main(int argc, char **argv) {
  if (argc != 3 && argc != 4) {
    fprintf(stderr, "usage: load-encoder CLIP SPEED [ROUNDS] < CHANNELS\n");
    return 2;
  }
  uint64_t rounds = argc == 4 ? (uint64_t)atoll(argv[3]) : 0;
  rounds_max = rounds;
  struct clip *clip = load_clip(argv[1]);
  double speed = atof(argv[2]);
  char line[1024], where[64], app[256], key[512];
  int events = epoll_create1(EPOLL_CLOEXEC);
  while (fgets(line, sizeof line, stdin) != NULL && channel_count < CHANNELS_MAX) {
    if (sscanf(line, "%63s %255s %511s", where, app, key) != 3) break;
    struct channel *channel = &channels[channel_count++];
    channel->fd = publish_to(where, app, key, &channel->stream_id);
    set_nonblocking(channel->fd);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = channel};
    epoll_ctl(events, EPOLL_CTL_ADD, channel->fd, &event);
  }
  int64_t start_us = now_us();
  for (int index = 0; index < channel_count; index += 1) {
    channels[index].start_us = start_us + (int64_t)SPREAD_US * index / channel_count;
  }
  signal(SIGTERM, end);
  puts("ready");
  fflush(stdout);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  struct itimerspec every = {{0, TICK_US * 1000}, {0, TICK_US * 1000}};
  timerfd_settime(timer, 0, &every, NULL);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(events, EPOLL_CTL_ADD, timer, &event);
  static struct channel standard_input;
  struct epoll_event told = {.events = EPOLLIN, .data.ptr = &standard_input};
  if (rounds > 0) epoll_ctl(events, EPOLL_CTL_ADD, STDIN_FILENO, &told);
  static uint8_t ignored[1 << 16];
  while (!is_over && ended_count < channel_count) {
    struct epoll_event ready[256];
    int count = epoll_wait(events, ready, 256, 1000);
    for (int index = 0; index < count; index += 1) {
      struct channel *channel = ready[index].data.ptr;
      if (channel == NULL) {
        uint64_t ticks;
        if (read(timer, &ticks, 8) != 8) continue;
        for (int each = 0; each < channel_count; each += 1) send_due(&channels[each], clip, now_us(), speed);
      } else if (channel == &standard_input) {
        epoll_ctl(events, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
        allow_end(rounds);
      } else {
        ssize_t got = recv(channel->fd, ignored, sizeof ignored, 0);
        if (got > 0 || (got < 0 && errno == EAGAIN)) continue;
        if (!channel->is_over) fail("the server closed a broadcast");
        close(channel->fd);
        channel->fd = -1;
        ended_count += 1;
      }
    }
  }
  tell_totals(clip);
  return 0;
}
