/** Every `targetName` a platform may have. */
export const PLATFORM_NAMES = [
  // Live Station's published list.
  "YOUTUBE",
  "CHZZK",
  "STEAM",
  "YOUNOW",
  "USTREAM",
  "AFREECATV",
  "PRISM",
  "CUSTOM",
  // In its reference until 2024, and still in its examples.
  "TWITCH",
  // Our own.
  "FACEBOOK",
  "KICK",
  "SOOP",
  "NAVERTV",
  "KAKAO",
  "TIKTOK",
  "X",
  "INSTAGRAM",
  "LINKEDIN",
  "TROVO",
  "VIMEO",
] as const;

/** A kind of platform, as the API names it. */
export type PlatformName = (typeof PLATFORM_NAMES)[number];
