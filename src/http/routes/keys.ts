import type { FastifyInstance } from "fastify";
import { parseBody } from "../../api-contract/schemas/field-errors.ts";
import { createAccessKeyRequest } from "../../api-contract/schemas/schemas.ts";
import { accessKeyAnswer, newAccessKeyAnswer } from "../answers/answers.ts";
import { sendContent } from "../answers/reply.ts";
import type { RouteContext } from "../answers/request.ts";
import { orRefuse, readJson } from "../answers/request.ts";

type KeyParams = { readonly Params: { readonly accessKey: string } };

const managersOnly = { config: { isManagersOnly: true } } as const;

/** Access keys: list, create, delete. Managers only. Ends what was opened with a deleted key. */
export function addAccessKeyRoutes(api: FastifyInstance, { service, revocations }: RouteContext): void {
  const { accessKeys } = service;

  api.get("/access-keys", managersOnly, async (_request, reply) => {
    const keys = await accessKeys.list();
    return sendContent(reply, keys.map(accessKeyAnswer), keys.length);
  });

  api.post("/access-keys", managersOnly, async (request, reply) => {
    const { role, name } = orRefuse(parseBody(createAccessKeyRequest, readJson(request)));
    return sendContent(reply, newAccessKeyAnswer(await accessKeys.create(role, name ?? "")));
  });

  api.delete<KeyParams>("/access-keys/:accessKey", managersOnly, async (request, reply) => {
    const deleted = await accessKeys.delete(request.params.accessKey);
    revocations.end(deleted.accessKeyId);
    return sendContent(reply, accessKeyAnswer(deleted));
  });
}
