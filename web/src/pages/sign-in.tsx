import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { ApiError, request } from "../base/api.ts";
import { at } from "../base/base-path.ts";
import { go } from "../base/router.ts";
import { PASSWORD_LENGTH_MIN, readSession } from "../base/session.ts";
import { withCommands } from "../parts/basic/commands.tsx";
import { Form, TextField } from "../parts/basic/form.tsx";
import { Choices } from "../parts/shell/top-bar.tsx";
import { t } from "../text/text.ts";

function Door({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <main class="door">
      <section class="door-box">
        <img src={at("/icon.svg")} alt="" width="48" height="48" />
        <h1 tabIndex={-1}>{title}</h1>
        {children}
      </section>
      <div class="door-choices">
        <Choices />
      </div>
    </main>
  );
}

/** The token of the printed link; it stays behind the # so that no log on the way ever has it. */
function tokenOfLink(): string {
  return new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
}

export function SetupPage() {
  const token = useSignal(tokenOfLink());
  const isMismatch = useSignal(false);
  useEffect(() => {
    // The link may be pasted where this page is open already: then nothing is loaded anew.
    const read = (): void => {
      token.value = tokenOfLink();
    };
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, [token]);
  if (token.value === "") {
    return (
      <Door title={t().door.setupTitle}>
        <p>{withCommands(t().door.linkMissing)}</p>
      </Door>
    );
  }
  const submit = async (field: (name: string) => string): Promise<void> => {
    isMismatch.value = field("password") !== field("repeat");
    if (isMismatch.value) return;
    try {
      await request("POST", "/dashboard/setup", { token: token.value, password: field("password") });
    } catch (error) {
      if (error instanceof ApiError && error.code === "200") throw new Error(t().door.linkInvalid);
      throw error;
    }
    await readSession();
    go("/");
  };
  const password = { type: "password", autocomplete: "new-password", minLength: PASSWORD_LENGTH_MIN } as const;
  return (
    <Door title={t().door.setupTitle}>
      <p>{t().door.setupText}</p>
      <Form submit={submit} button={t().door.setupButton}>
        <TextField label={t().door.password} name="password" help={t().door.rule} isRequired input={password} />
        <TextField
          label={t().door.repeat}
          name="repeat"
          help={isMismatch.value ? t().door.mismatch : undefined}
          isRequired
          input={password}
        />
      </Form>
    </Door>
  );
}

export function SignInPage() {
  const submit = async (field: (name: string) => string): Promise<void> => {
    try {
      await request("POST", "/dashboard/session", { password: field("password") });
    } catch (error) {
      if (error instanceof ApiError && error.code === "200") throw new Error(t().door.wrong);
      throw error;
    }
    await readSession();
  };
  return (
    <Door title={t().door.signInTitle}>
      <Form submit={submit} button={t().door.signInButton}>
        <TextField
          label={t().door.password}
          name="password"
          help={withCommands(t().door.forgotten)}
          isRequired
          input={{ type: "password", autocomplete: "current-password", autofocus: true }}
        />
      </Form>
    </Door>
  );
}
