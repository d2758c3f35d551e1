import type { Readable } from 'node:stream';

/** One file of an export. */
type ExportEntry = {
  /** Within the ZIP, with `/`: made by `exportName` where a person's words are in it. */
  path: string;
  /** Text, or what opens the bytes; undefined there: they are missing, which README.txt then says. */
  content: string | (() => Promise<Readable | undefined>);
  /** ISO 8601. Undefined: now. */
  modified_at?: string;
  /** Bytes that are compressed already are stored as they are. */
  is_compressed?: boolean;
};

/** What a feature holds of a person, as files. Little is read at a time: a member may have gigabytes. */
export type Exporter = {
  /** Lines of README.txt. */
  describe: string[];
  /** How many entries there will be, about: for the progress. */
  count: (user_id: string) => Promise<number>;
  entries: (user_id: string) => AsyncIterable<ExportEntry>;
};
