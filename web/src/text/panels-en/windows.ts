export const enWindows = {
  label: "Send only at these times",
  help: "One per line, such as MON FRI 20:00-22:00. Without days: every day. Leave empty to send at any time.",
  zone: "Time zone of these times",
  wrong: "Enter lines such as MON FRI 20:00-22:00.",
  closed: "Off: outside its set times.",
  opened: "On outside its set times, until the next one begins.",
};
