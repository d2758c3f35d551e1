import type { Citation } from '../knowledge/citation.ts';
import type { AppError } from '../platform/errors.ts';
import type { Allowances } from './queries.ts';

type TurnStatus = 'preparing_files' | 'searching_files' | 'thinking';

/** How many of the files are ready while they are made ready. */
type FilesProgress = { ready: number; total: number };

export type TurnEnd =
  | {
      event: 'end';
      status: 'done' | 'stopped';
      message_id: string | null;
      incomplete: boolean;
      /** The chat has grown too long: its oldest messages were not told to the model. */
      history_shortened: boolean;
      /** The files could not be made ready: the model had to do without them. */
      files_missing?: boolean;
      allowance: Allowances | null;
    }
  | { event: 'error'; error: AppError; counted: boolean };

/** What a reader of a turn is told. `sequence`: the length of the reply's text with this event, in UTF-16 units. */
export type TurnReader = {
  text: (stretch: string, sequence: number) => void;
  status: (status: TurnStatus, sequence: number, progress?: FilesProgress) => void;
  citation: (citation: Citation, sequence: number) => void;
  end: (end: TurnEnd, sequence: number) => void;
};

/** A reply that is being made in this process: its text so far and whoever reads along. */
export class RunningTurn {
  readonly id: string;
  readonly auth_id: string;
  readonly session_id: string;
  readonly user_message_id: string;
  readonly title: string;
  readonly started_ms = performance.now();
  readonly citations: Citation[] = [];
  readonly abort = new AbortController();
  text = '';
  status: TurnStatus | undefined;
  progress: FilesProgress | undefined;
  /** The model has searched the member's files. */
  has_searched = false;
  #half = '';
  #readers = new Set<TurnReader>();
  #ended: TurnEnd | undefined;
  #whenEnded = Promise.withResolvers<void>();

  constructor(turn: {
    id: string;
    auth_id: string;
    session_id: string;
    user_message_id: string;
    title: string;
  }) {
    this.id = turn.id;
    this.auth_id = turn.auth_id;
    this.session_id = turn.session_id;
    this.user_message_id = turn.user_message_id;
    this.title = turn.title;
  }

  /** Resolves when the turn has ended and its end is written. */
  get ended(): Promise<void> {
    return this.#whenEnded.promise;
  }

  /** Tells a reader what came after `sequence`, then everything that follows. Returns how to leave. */
  join(reader: TurnReader, sequence: number): () => void {
    const missed = this.text.slice(sequence);
    if (missed) reader.text(missed, this.text.length);
    for (const citation of this.citations) reader.citation(citation, this.text.length);
    if (this.#ended) reader.end(this.#ended, this.text.length);
    else {
      if (this.status) reader.status(this.status, this.text.length, this.progress);
      this.#readers.add(reader);
    }
    return () => this.#readers.delete(reader);
  }

  /**
   * Adds the next words. A character that came in two halves waits for its second one, and what PostgreSQL cannot hold
   * is replaced one for one, so that offsets stay: one bad character must not stop what is kept of other turns.
   */
  addText(stretch: string) {
    const whole = this.#half + stretch;
    const endsInHalf = /[\ud800-\udbff]$/.test(whole);
    this.#half = endsInHalf ? whole.slice(-1) : '';
    this.#pass(endsInHalf ? whole.slice(0, -1) : whole);
  }

  /** No more words come: a half that still waits is replaced. */
  endText() {
    const half = this.#half;
    this.#half = '';
    this.#pass(half);
  }

  #pass(stretch: string) {
    if (stretch === '') return;
    const text = stretch.replaceAll('\0', '\ufffd').toWellFormed();
    this.text += text;
    this.status = undefined;
    for (const reader of this.#readers) reader.text(text, this.text.length);
  }

  setStatus(status: TurnStatus, progress?: FilesProgress) {
    const isTold =
      this.status === status &&
      this.progress?.ready === progress?.ready &&
      this.progress?.total === progress?.total;
    if (isTold) return;
    this.status = status;
    this.progress = progress;
    for (const reader of this.#readers) reader.status(status, this.text.length, progress);
  }

  addCitation(citation: Citation) {
    this.citations.push(citation);
    for (const reader of this.#readers) reader.citation(citation, this.text.length);
  }

  end(end: TurnEnd) {
    this.#ended = end;
    for (const reader of this.#readers) reader.end(end, this.text.length);
    this.#readers.clear();
    this.#whenEnded.resolve();
  }
}
