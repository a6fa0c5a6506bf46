/**
 * Files of the built dashboard that no browser loads before somebody opens what they are for, by their names before the hash: the
 * preview's player, the settings, the pages before the sign-in, the forms of a channel and a platform, the import, the QR code, and the
 * live stream's reader for browsers without shared workers (which then load no worker).
 */
export const LOADED_WHEN_ASKED_FOR: readonly string[] = [
  "mpegts",
  "settings",
  "door",
  "new-channel",
  "platform-form",
  "import-dialog",
  "qr-code",
  "hub",
];
