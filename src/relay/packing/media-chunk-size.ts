/** The chunk size of media, in bytes. Every link must announce it before its first media byte. It is OBS's. */
export const MEDIA_CHUNK_SIZE = 4_096;
