/**
 * What a model is to Touchline: a turn goes in, a stream of events comes out. Two implementations:
 * OpenAI's Responses API (`openai-model.ts`) and the practice coach (`server/coaches/practice-coach.ts`).
 */

/** A stretch of one of the member's files, found by a search. `page` counts from 1; null where the type has no pages. */
export type Passage = {
  passage_id: string;
  file_id: string;
  file_name: string;
  page: number | null;
  content: string;
};

export type HistoryMessage = { sender: 'user' | 'assistant'; content: string };

/** A picture that the member gave. */
export type ModelImage = {
  file_name: string;
  /** It came with this message; the others came before it. */
  is_new: boolean;
  /** As a data URL of the size that a model uses. Throws where it cannot be read. */
  read: (signal: AbortSignal) => Promise<string>;
};

export type ModelTurn = {
  turn_id: string;
  coach_slug: string;
  /** The upstream's name of the language model, from the coach's file or the setting. */
  model: string;
  instructions: string;
  /** OpenAI's conversation, which holds everything before `history` and takes in what this request adds; null: none. */
  conversation_id: string | null;
  /** What came before this message and is not in the conversation, oldest first. */
  history: HistoryMessage[];
  message: { content: string; file_names: string[] };
  /** The chat's pictures, oldest first. Those of earlier messages are in the conversation, as is `history`. */
  images: ModelImage[];
  /** OpenAI vector stores that hold the member's files. */
  vector_store_ids: string[];
  /** Passages for a model that cannot search by itself; it cites them by number. */
  passages: Passage[];
  /** True when the member has given files that can be searched. */
  has_files: boolean;
  /** Searches the member's files in PostgreSQL; best first. */
  searchFiles: (query: string, limit: number) => Promise<Passage[]>;
  /** When the upstream must have begun to answer, as `performance.now()`. */
  deadline_ms: number;
  /** A stable, anonymous id of the member for the upstream's abuse reports. */
  safety_identifier: string;
};

/** Where a citation points: a passage of ours, or OpenAI's file with the texts that it retrieved, best first. */
export type CitationSource =
  | { kind: 'passage'; passage: Passage }
  | { kind: 'openai_file'; openai_file_id: string; retrieved: string[] };

export type ModelUsage = { input_tokens: number; cached_tokens: number; output_tokens: number };

export type ModelEvent =
  | { type: 'text'; text: string }
  /** `index`: offset in UTF-16 units in the text so far, where the mark stands. */
  | { type: 'citation'; index: number; source: CitationSource }
  | { type: 'tool_call'; tool: 'file_search' }
  /**
   * The last event. `incomplete`: the model ran into a limit of its own; the text is kept and counted. `asked_again`: the
   * request was sent more than once, and the conversation may hold it more than once.
   */
  | {
      type: 'end';
      outcome: 'completed' | 'incomplete';
      usage: ModelUsage;
      response_id: string | null;
      asked_again?: boolean;
    };

/**
 * Streams the reply to one turn. Ends with exactly one `end` event or throws an `AppError` with a
 * `model_…` code; aborting the signal cancels the upstream and ends the stream by throwing the signal's reason.
 */
export type Model = (turn: ModelTurn, signal: AbortSignal) => AsyncGenerator<ModelEvent, void, void>;
