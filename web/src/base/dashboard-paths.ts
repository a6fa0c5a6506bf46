import type { z } from "zod";
import type {
  dashboardPasswordRequest,
  dashboardPushEndpointRequest,
  dashboardPushRequest,
  dashboardSetupRequest,
  dashboardSignInRequest,
} from "../../../src/api-contract/schemas/dashboard-schemas.ts";

type Answered<Answer> = { responses: { 200: { content: { "application/json": Answer } } } };
type Taking<Body, Answer> = Answered<Answer> & { requestBody: { content: { "application/json": Body } } };
type Session = { readonly signedIn: boolean; readonly needsSetup: boolean };
type Endpoint = z.input<typeof dashboardPushEndpointRequest>;

/** The calls below `/dashboard`, in the form of the OpenAPI document's types. They are not part of the API. */
export type DashboardPaths = {
  "/session": {
    get: Answered<Session>;
    post: Taking<z.input<typeof dashboardSignInRequest>, Session>;
    delete: Answered<Session>;
  };
  "/setup": { post: Taking<z.input<typeof dashboardSetupRequest>, Session> };
  "/password": { put: Taking<z.input<typeof dashboardPasswordRequest>, Session> };
  "/push": {
    get: Answered<{ readonly publicKey: string }>;
    put: Taking<z.input<typeof dashboardPushRequest>, object>;
    delete: Taking<Endpoint, object>;
  };
  "/push/test": { post: Taking<Endpoint, { readonly status?: number; readonly problem?: string }> };
};
