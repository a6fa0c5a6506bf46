/** Chunk size the relay cuts for, and every link must announce before its first media byte: what OBS uses. */
export const MEDIA_CHUNK_SIZE = 4_096;
