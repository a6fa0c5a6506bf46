import type { Operation } from "../operation.ts";
import { createContactRequest, updateContactRequest } from "./contact-schemas.ts";

const CONTACTS = "/events/contacts";
const CONTACT = `${CONTACTS}/{contactId}`;
const ours = { isOurs: true } as const;

/** The calls about the chat rooms and mailboxes that are told what happens. */
export const CONTACT_OPERATIONS: readonly Operation[] = [
  {
    ...ours,
    name: "listContacts",
    method: "GET",
    path: CONTACTS,
    summary: "List the chat rooms and mailboxes that get messages about events.",
    content: "Contact",
    list: "whole",
  },
  {
    ...ours,
    name: "createContact",
    method: "POST",
    path: CONTACTS,
    summary: "Add a chat room or mailboxes.",
    body: createContactRequest,
    bodyExample: {
      contactName: "Control room",
      contactKind: "slack",
      webhookUrl: "https://hooks.slack.example/services/T0/B0/X",
    },
    content: "Contact",
  },
  {
    ...ours,
    name: "updateContact",
    method: "PUT",
    path: CONTACT,
    summary: "Change a contact; absent fields stay as they are. What waits is sent at once.",
    body: updateContactRequest,
    bodyExample: { eventScope: "all", language: "ko" },
    content: "Contact",
  },
  {
    ...ours,
    name: "deleteContact",
    method: "DELETE",
    path: CONTACT,
    summary: "Remove a contact and what waits for it.",
    content: "Contact",
  },
  {
    ...ours,
    name: "testContact",
    method: "POST",
    path: `${CONTACT}/test`,
    summary: "Send a contact a test message, once; returns what came back.",
    content: "ContactTest",
  },
];
