import { z } from "zod";

const PASSWORD_RULE = "8 to 256 characters";
/** As in NIST SP 800-63B: at least 8 characters, and no rule about which. */
const newPassword = z
  .string({ error: PASSWORD_RULE })
  .min(8, { error: PASSWORD_RULE })
  .max(256, { error: PASSWORD_RULE });

const PRESENT_RULE = "text of at most 256 characters";
const presentSecret = z
  .string({ error: PRESENT_RULE })
  .min(1, { error: PRESENT_RULE })
  .max(256, { error: PRESENT_RULE });

/** Body of `POST /dashboard/setup`. */
export const dashboardSetupRequest = z.object({ token: presentSecret, password: newPassword });

/** Body of `POST /dashboard/session`. */
export const dashboardSignInRequest = z.object({ password: presentSecret });

/** Body of `PUT /dashboard/password`. */
export const dashboardPasswordRequest = z.object({ old: presentSecret, new: newPassword });
