import { unixNow } from './ids.ts';

/** An item of a conversation or of a response: a message, a call, a reasoning step. */
export type Item = { id: string; type: string; [field: string]: unknown };

export type StoredConversation = {
  id: string;
  created_at: number;
  metadata: Record<string, string>;
  /** Oldest first. */
  items: Item[];
  /** The response that holds the conversation locked. */
  running_response_id: string | null;
};

export type StoredFile = {
  id: string;
  bytes: number;
  created_at: number;
  expires_at: number | null;
  filename: string;
  purpose: string;
  content: Buffer;
};

export type Chunking =
  | { type: 'auto' }
  | { type: 'static'; static: { max_chunk_size_tokens: number; chunk_overlap_tokens: number } };

export type Attributes = Record<string, string | number | boolean>;

export type StoredVectorStoreFile = {
  file_id: string;
  created_at: number;
  status: 'in_progress' | 'completed' | 'failed' | 'cancelled';
  last_error: { code: 'server_error' | 'unsupported_file' | 'invalid_file'; message: string } | null;
  usage_bytes: number;
  chunking: Chunking;
  attributes: Attributes;
  /** What a search finds, in the order of the file; empty until the file is completed. */
  chunks: string[];
};

export type StoredFileBatch = { id: string; created_at: number; file_ids: string[]; cancelled: boolean };

export type StoredVectorStore = {
  id: string;
  created_at: number;
  last_active_at: number;
  name: string;
  metadata: Record<string, string>;
  expires_after: { anchor: 'last_active_at'; days: number } | null;
  expired: boolean;
  files: Map<string, StoredVectorStoreFile>;
  batches: Map<string, StoredFileBatch>;
};

export type StreamEvent = { type: string; sequence_number: number; [field: string]: unknown };

export type ResponseStatus = 'queued' | 'in_progress' | 'completed' | 'failed' | 'incomplete' | 'cancelled';

export type ResponseObject = {
  id: string;
  status: ResponseStatus;
  output: Item[];
  conversation: { id: string } | null;
  [field: string]: unknown;
};

export type StoredResponse = {
  /** As `GET /v1/responses/:id` answers it. */
  response: ResponseObject;
  input_items: Item[];
  events: StreamEvent[];
  background: boolean;
  stream: boolean;
  /** False with `store: false`: then the response can be read nowhere but here. */
  stored: boolean;
  /** How it came to an end before its time: the client went away, or asked for it. */
  cancelled_by: 'disconnect' | 'request' | null;
  /** Null while it runs; `cut` and `silent` are the ends that a fault brings about. */
  ended: 'completely' | 'cut' | 'silent' | null;
  abort: AbortController;
  /** Called after each event and at the end. */
  listeners: Set<() => void>;
};

export type FakeOpenAIState = {
  conversations: Map<string, StoredConversation>;
  files: Map<string, StoredFile>;
  vectorStores: Map<string, StoredVectorStore>;
  responses: Map<string, StoredResponse>;
  /** From now on the store is `expired` and cannot be searched, as after days without use. */
  expireVectorStore(id: string): void;
};

export function createState(): FakeOpenAIState {
  const vectorStores: FakeOpenAIState['vectorStores'] = new Map();
  return {
    conversations: new Map(),
    files: new Map(),
    vectorStores,
    responses: new Map(),
    expireVectorStore(id) {
      const store = vectorStores.get(id);
      if (!store) throw new Error(`There is no vector store ${id} to expire.`);
      store.expired = true;
    },
  };
}

/** When the store expires by itself, counted from its last use; null without a policy. */
export function expiryOf(store: StoredVectorStore) {
  return store.expires_after ? store.last_active_at + store.expires_after.days * 86_400 : null;
}

export function isExpired(store: StoredVectorStore) {
  return store.expired || (expiryOf(store) ?? Infinity) <= unixNow();
}
