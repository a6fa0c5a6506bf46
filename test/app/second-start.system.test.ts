import { expect, test } from "vitest";
import { Stage } from "../support/stages/stage.ts";

const LINK = /\/setup#token=(\S+)/g;

test("a second start prints the dashboard's address, and a new set-up link while no password is set", async () => {
  const stage = await Stage.open();
  const { fanfare } = await stage.server();
  const links = () => [...fanfare.output.matchAll(LINK)].map(([, token]) => token);
  const addresses = () => fanfare.output.match(/^ {2}Dashboard: /gm)?.length;
  expect([links().length, addresses()]).toEqual([1, 1]);
  await fanfare.stop();
  await fanfare.restart();
  expect([new Set(links()).size, addresses()]).toEqual([2, 2]);
});
