/**
 * What a browser loads when it is first opened: every page, form and dialog but the overview and a channel's page. One file, smaller
 * than one for each, and there already when the second of them is opened.
 */

export { NewChannel } from "./pages/new-channel.tsx";
export { SettingsPage } from "./pages/settings.tsx";
export { SetupPage, SignInPage } from "./pages/sign-in.tsx";
export { QrCode } from "./parts/channel/qr-code.tsx";
export { ImportPlatforms } from "./parts/platform/import-dialog.tsx";
export { AddPlatform, EditPlatform } from "./parts/platform/platform-form.tsx";
