/** Texts of the timeline. */
export const enEvents = {
  events: {
    title: "Timeline",
    none: "Nothing happened yet.",
    noneMatch: "Nothing of this kind happened.",
    filter: "Show",
    filters: {
      all: "Everything",
      problems: "Problems",
      broadcasts: "Broadcasts",
      platforms: "Platforms",
      changes: "Changes",
    },
    export: "Export",
    levels: { INFO: "Information", WARN: "Warning", ERROR: "Error" },
    codes: {
      STREAM_RESERVE: "Channel made",
      STREAM_UPDATE: "Settings changed",
      PUBLISH_START: "Broadcast began",
      PUBLISH_END: "Broadcast ended",
      SIMULCAST_STATUS_CHANGE: "Platform",
      PUBLISH_OVER_THRESHOLD: "Bitrate above a platform's limit",
      RTMP_MAIN_STREAM_ENABLED: "Main encoder on air",
      RTMP_BACKUP_STREAM_ENABLED: "Backup encoder on air",
      BACKUP_SESSION_STREAMING_CONNECTED: "Backup encoder connected",
      INGEST_HELD: "Encoder lost, platforms held",
      INGEST_RESUMED: "Encoder back",
      ENCODERS_FIGHT: "Two encoders fight for one key",
      BACKUP_DIFFERS: "The backup encoder differs",
    },
  },
};
