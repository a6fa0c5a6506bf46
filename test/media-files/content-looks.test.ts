import { expect, test } from "vitest";
import { ContentLooks } from "../../src/media-files/watched-content.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

function stageOf() {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const answers: ((problem: string | undefined) => void)[] = [];
  const look = (path: string) => {
    asked.push(path);
    return new Promise<string | undefined>((resolve) => answers.push(resolve));
  };
  const looks = new ContentLooks({ clock, look });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, asked, answers, looks, settle };
}

test("files are looked at one after another", async () => {
  const { asked, answers, looks, settle } = stageOf();
  const found = ["a", "b"].map((path) => looks.problem(path, ""));
  await settle();
  expect(asked).toEqual(["a"]);
  answers[0]?.(undefined);
  await settle();
  expect(asked).toEqual(["a", "b"]);
  answers[1]?.("it was removed");
  expect(await Promise.all(found)).toEqual([undefined, "it was removed"]);
});

test("a folder that does not answer holds up one look, and nobody for longer than ten seconds", async () => {
  const { clock, asked, answers, looks, settle } = stageOf();
  const first = looks.problem("a", "");
  const second = looks.problem("b", "");
  await settle();
  clock.advance(10_000);
  const away = "the watched folder does not answer";
  expect(await Promise.all([first, second, looks.problem("c", "")])).toEqual([away, away, away]);
  expect(asked).toEqual(["a"]);
  answers[0]?.(undefined);
  await settle();
  const again = looks.problem("d", "");
  await settle();
  answers[1]?.(undefined);
  expect([await again, asked]).toEqual([undefined, ["a", "d"]]);
});
