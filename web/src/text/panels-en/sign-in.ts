/** The texts of the first set-up and of signing in. */
export const enSignIn = {
  setupTitle: "Welcome to Fanfare",
  setupText: "Choose a password for this server. You'll use it to sign in.",
  password: "Password",
  repeat: "Confirm password",
  rule: "At least 8 characters.",
  mismatch: "The passwords don't match.",
  setupButton: "Set password and continue",
  linkMissing:
    "This server has no password yet. Open the setup link that was printed when the server started, or run `fanfare reset-password` to get a new one.",
  linkInvalid:
    "This setup link has already been used or has expired. Restart the server or run fanfare reset-password to get a new one.",
  title: "Sign in",
  button: "Sign in",
  wrong: "Wrong password.",
  notKept: "Your browser doesn't keep this page's cookie. Allow cookies for this address.",
  again: "Sign in again. What you typed is still there.",
  forgotten: "Forgot your password? Run `fanfare reset-password` on the server.",
};
