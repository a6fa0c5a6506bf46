import { ApiError, dashboard } from "../base/api.ts";
import { at } from "../base/base-path.ts";
import { readSession } from "../base/read-session.ts";
import { PASSWORD_LENGTH_MIN } from "../base/session.ts";
import { type Fields, Form } from "../parts/basic/form.tsx";
import { FieldError } from "../parts/basic/form-problems.ts";
import { lazy } from "../parts/basic/lazy.tsx";
import { say } from "../parts/basic/notice.tsx";
import { SecretField } from "../parts/basic/secret-field.tsx";
import { AccessKeys } from "../parts/settings/access-keys.tsx";
import { panelTexts, t } from "../text/text.ts";

const Alerts = lazy(async () => (await import("../parts/alerts/alert-settings.tsx")).Alerts);

const Webhook = lazy(async () => (await import("../parts/webhook/webhook.tsx")).Webhook);

const Contacts = lazy(async () => (await import("../parts/contacts/contacts.tsx")).Contacts);

const ServerNodes = lazy(async () => (await import("../parts/nodes/nodes.tsx")).ServerNodes);

/** Loads the page with all its parts: they would come one by one, above what a person is about to press. */
export async function loadSettings(): Promise<typeof SettingsPage> {
  await Promise.all([Alerts, Webhook, Contacts, ServerNodes].map((part) => part.load()));
  return SettingsPage;
}

/** Settings of the whole server. */
function SettingsPage() {
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>{t().settings.title}</h1>
        <a href={at("/audit")}>{t().app.audit}</a>
      </div>
      <div class="settings">
        <Alerts />
        <AccessKeys />
        <Webhook />
        <Contacts />
        <ServerNodes />
        <Password />
      </div>
    </>
  );
}

function Password() {
  const submit = async (field: Fields): Promise<void> => {
    try {
      await dashboard.PUT("/password", { body: { old: field("old"), new: field("new") } });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "200") throw error;
      // The session may have ended: then the page asks for the password anyway.
      await readSession();
      throw new FieldError("old", panelTexts().signIn.wrong);
    }
    say(t().settings.passwordChanged);
    // The subscription ended with the session that the new one replaces.
    await (await import("../parts/alerts/push.ts")).syncPush().catch(() => undefined);
  };
  return (
    <section class="panel" aria-labelledby="password-title">
      <div class="panel-head">
        <h2 id="password-title">{t().settings.password}</h2>
      </div>
      <Form submit={submit} button={t().common.save} kind="plain">
        <SecretField
          label={t().settings.oldPassword}
          name="old"
          isRequired
          input={{ autocomplete: "current-password" }}
        />
        <SecretField
          label={t().settings.newPassword}
          name="new"
          help={panelTexts().signIn.rule}
          isRequired
          input={{ minLength: PASSWORD_LENGTH_MIN }}
        />
      </Form>
    </section>
  );
}
