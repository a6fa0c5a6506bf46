import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { ApiError, dashboard } from "../base/api.ts";
import { at } from "../base/base-path.ts";
import { readSession } from "../base/read-session.ts";
import { go } from "../base/router.ts";
import { PASSWORD_LENGTH_MIN } from "../base/session.ts";
import { withCommands } from "../parts/basic/commands.tsx";
import { type Fields, Form } from "../parts/basic/form.tsx";
import { FieldError } from "../parts/basic/form-problems.ts";
import { SecretField } from "../parts/basic/secret-field.tsx";
import { Choices } from "../parts/shell/top-bar.tsx";
import { t } from "../text/text.ts";

function Frame({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <main class="sign-in">
      <section class="sign-in-box">
        <img src={at("/icon.svg")} alt="" width="48" height="48" />
        <h1 tabIndex={-1}>{title}</h1>
        {children}
      </section>
      <div class="sign-in-choices">
        <Choices />
      </div>
    </main>
  );
}

/** The token of the printed link. It is behind the # so that it is in no request and no log. */
function tokenOfLink(): string {
  return new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
}

export function SetupPage() {
  const token = useSignal(tokenOfLink());
  useEffect(() => {
    // The link may be pasted into a tab where this page is already open: then nothing is loaded.
    const read = (): void => {
      token.value = tokenOfLink();
    };
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, [token]);
  if (token.value === "") {
    return (
      <Frame title={t().signIn.setupTitle}>
        <p>{withCommands(t().signIn.linkMissing)}</p>
      </Frame>
    );
  }
  const submit = async (field: Fields): Promise<void> => {
    if (field("password") !== field("repeat")) throw new FieldError("repeat", t().signIn.mismatch);
    try {
      await dashboard.POST("/setup", { body: { token: token.value, password: field("password") } });
    } catch (error) {
      if (error instanceof ApiError && error.code === "200") throw new Error(t().signIn.linkInvalid);
      throw error;
    }
    await readSession();
    go("/");
  };
  const password = { minLength: PASSWORD_LENGTH_MIN };
  return (
    <Frame title={t().signIn.setupTitle}>
      <p>{t().signIn.setupText}</p>
      <Form submit={submit} button={t().signIn.setupButton}>
        <SecretField label={t().signIn.password} name="password" help={t().signIn.rule} isRequired input={password} />
        <SecretField label={t().signIn.repeat} name="repeat" isRequired />
      </Form>
    </Frame>
  );
}

export function SignInPage() {
  const submit = async (field: Fields): Promise<void> => {
    try {
      await dashboard.POST("/session", { body: { password: field("password") } });
    } catch (error) {
      if (error instanceof ApiError && error.code === "200") throw new FieldError("password", t().signIn.wrong);
      throw error;
    }
    await readSession();
  };
  return (
    <Frame title={t().signIn.title}>
      <Form submit={submit} button={t().signIn.button}>
        <SecretField
          label={t().signIn.password}
          name="password"
          help={withCommands(t().signIn.forgotten)}
          isRequired
          input={{ autocomplete: "current-password", autofocus: true }}
        />
      </Form>
    </Frame>
  );
}
