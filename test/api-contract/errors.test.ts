import { expect, test } from "vitest";
import { gatewayError, serviceError } from "../../src/api-contract/errors.ts";

test("a gateway error has a code in quotes and always details", () => {
  expect(gatewayError("AUTHENTICATION_FAILED", "Invalid authentication information.")).toEqual({
    layer: "gateway",
    status: 401,
    body: {
      error: {
        errorCode: "200",
        message: "Authentication Failed",
        details: "Invalid authentication information.",
      },
    },
  });
});

test("a service error has a number and the published name and wording", () => {
  expect(serviceError("NOT_FOUND", "Channel")).toEqual({
    layer: "service",
    status: 404,
    body: { error: { errorCode: 250004, message: "Channel not found.", errorName: "NOT_FOUND" } },
  });
  expect(serviceError("NEED_VALUE", "restream[0].rtmpUrl").body.error.message).toBe(
    "restream[0].rtmpUrl must has a valid value",
  );
});

test("a value that is put into a message is put in unchanged", () => {
  expect(serviceError("OPEN_API_INVALID_REGION_CODE", "$&$1{0}").body.error.message).toBe(
    "Invalid region code $&$1{0}.",
  );
});

test("two published codes share one name", () => {
  const names = (["ACCESS_DENIED", "OPEN_API_UNAUTHORIZED"] as const).map((name) => serviceError(name).body.error);
  expect(names).toEqual([
    { errorCode: 250015, message: "ACCESS_DENIED", errorName: "OPEN_API_UNAUTHORIZED" },
    { errorCode: 250017, message: "Unauthorized", errorName: "OPEN_API_UNAUTHORIZED" },
  ]);
});
