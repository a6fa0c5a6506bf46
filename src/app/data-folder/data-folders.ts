/** The folders that Fanfare makes in its data folder. */
export const DATA_FOLDERS = { media: "media", recordings: "recordings", delays: "delays" } as const;
