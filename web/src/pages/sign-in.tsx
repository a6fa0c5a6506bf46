import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ApiError, dashboard } from "../base/api.ts";
import { at } from "../base/base-path.ts";
import { readSession, tellTabs } from "../base/read-session.ts";
import { go } from "../base/router.ts";
import { PASSWORD_LENGTH_MIN, session } from "../base/session.ts";
import { withCommands } from "../parts/basic/commands.tsx";
import { type Fields, Form } from "../parts/basic/form.tsx";
import { FieldError } from "../parts/basic/form-problems.ts";
import { SecretField } from "../parts/basic/secret-field.tsx";
import { Choices } from "../parts/shell/top-bar.tsx";
import { panelTexts } from "../text/text.ts";

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
      <Frame title={panelTexts().signIn.setupTitle}>
        <p>{withCommands(panelTexts().signIn.linkMissing)}</p>
      </Frame>
    );
  }
  const submit = async (field: Fields): Promise<void> => {
    if (field("password") !== field("repeat")) throw new FieldError("repeat", panelTexts().signIn.mismatch);
    try {
      await dashboard.POST("/setup", { body: { token: token.value, password: field("password") } });
    } catch (error) {
      if (error instanceof ApiError && error.code === "200") throw new Error(panelTexts().signIn.linkInvalid);
      throw error;
    }
    await readSession();
    go("/");
  };
  const password = { minLength: PASSWORD_LENGTH_MIN };
  return (
    <Frame title={panelTexts().signIn.setupTitle}>
      <p>{panelTexts().signIn.setupText}</p>
      <Form submit={submit} button={panelTexts().signIn.setupButton}>
        <SecretField
          label={panelTexts().signIn.password}
          name="password"
          help={panelTexts().signIn.rule}
          isRequired
          input={password}
        />
        <SecretField label={panelTexts().signIn.repeat} name="repeat" isRequired />
      </Form>
    </Frame>
  );
}

export function SignInPage() {
  const submit = async (field: Fields): Promise<void> => {
    try {
      await dashboard.POST("/session", { body: { password: field("password") } });
    } catch (error) {
      if (error instanceof ApiError && error.code === "200")
        throw new FieldError("password", panelTexts().signIn.wrong);
      throw error;
    }
    tellTabs("in");
    if (!(await readSession())) throw new ApiError("network", "", "");
    if (session.peek() !== "signed-in") throw new Error(panelTexts().signIn.notKept);
  };
  return (
    <Frame title={panelTexts().signIn.title}>
      {session.value === "expired" && <p>{panelTexts().signIn.again}</p>}
      <Form submit={submit} button={panelTexts().signIn.button}>
        <SecretField
          label={panelTexts().signIn.password}
          name="password"
          help={withCommands(panelTexts().signIn.forgotten)}
          isRequired
          input={{ autocomplete: "current-password", autofocus: true }}
        />
      </Form>
    </Frame>
  );
}

/** Asks for the password above a page whose session has ended, and above its dialogs: what was typed there stays. */
export function SignInAgain() {
  const element = useRef<HTMLDialogElement>(null);
  const ask = (): void => element.current?.showModal();
  useEffect(() => {
    ask();
    const dialog = element.current;
    // The browser returns the focus.
    return () => dialog?.close();
  }, []);
  return (
    // Escape would close it, and then what is below. Browsers that do not know the attribute ask first, or once.
    <dialog
      ref={element}
      class="sign-in-again"
      closedby="none"
      onCancel={(event) => event.preventDefault()}
      onClose={ask}
    >
      <SignInPage />
    </dialog>
  );
}
