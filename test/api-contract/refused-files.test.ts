import { expect, test } from "vitest";
import { refusedFileKo } from "../../src/api-contract/sources/source-sentences.ts";
import { FFMPEG_MISSING } from "../../src/ffmpeg/find-ffmpeg.ts";

test.each([
  ["The file cannot be read: moov atom not found.", "파일을 읽을 수 없습니다(moov atom not found)."],
  ["The video is larger than 8192 pixels on a side.", "영상의 가로 또는 세로가 8192픽셀보다 큽니다."],
  [FFMPEG_MISSING, "이 서버에 FFmpeg이 설치되어 있지 않습니다."],
  ["Something new.", "Something new."],
])("%s", (english, korean) => {
  expect(refusedFileKo(english)).toBe(korean);
});
