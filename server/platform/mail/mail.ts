/**
 * A mail to one person. Features make these in their `mails.ts`; the plain-text part and the HTML part are both
 * rendered from it, so that they cannot say different things.
 */
export type Mail = {
  /** One mailbox, without a name. */
  to: string;
  subject: string;
  /** Plain text; a line break within one stays a line break. */
  paragraphs: string[];
  /** What the mail is for, as a button. `url`: http or https, whole. */
  action?: { label: string; url: string };
  /** Small print at the end: why one got the mail, or what to do when it was not asked for. */
  footnote?: string;
};
