import type { MemberFile } from '../files/file.ts';
import type { FileUpload } from '../files/file-upload.ts';
import { createStore } from '../platform/store.ts';

/** A file on its way into a message. */
type Attachment = FileUpload;

/**
 * What a member has written and not sent. `notice` is why it came back, when it did, with the error's code where
 * there was one; `edits_message_id` the message whose place it is to take.
 */
export type Draft = {
  content: string;
  attachments: Attachment[];
  notice: string | null;
  notice_code: string | null;
  edits_message_id: string | null;
};

/** What leaves a draft to be sent. */
type Taken = { content: string; files: MemberFile[]; edits_message_id: string | null };

/** What is kept in the browser. `unsent` left the draft, but the server has not confirmed it yet. */
type KeptDraft = Partial<Taken> & { unsent?: Partial<Taken> | null };

export type Drafts = ReturnType<typeof createDrafts>;

/** The draft of a message in the chat that is edited: one at a time, beside what is written below. */
export const editDraftKey = (chat_session_id: string) => `edit-${chat_session_id}`;

const empty: Draft = {
  content: '',
  attachments: [],
  notice: null,
  notice_code: null,
  edits_message_id: null,
};
const prefix = 'touchline.draft.';

/**
 * What is written in each chat, by key, kept in the browser per member so that neither a reload nor a lost
 * sign-in loses it. What has been sent is kept until `settle` says that the server has it.
 */
export function createDrafts(
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
  memberId: () => string,
) {
  const store = createStore<Draft>();
  const unsent = new Map<string, Taken>();
  const storageKey = (key: string) => `${prefix}${memberId()}.${key}`;

  function keep(key: string) {
    const draft = store.get(key) ?? empty;
    const kept: KeptDraft = {
      content: draft.content,
      files: readyFiles(draft),
      edits_message_id: draft.edits_message_id,
      unsent: unsent.get(key) ?? null,
    };
    const is_empty =
      draft.content === '' && readyFiles(draft).length === 0 && draft.edits_message_id === null;
    try {
      if (is_empty && kept.unsent === null) {
        storage.removeItem(storageKey(key));
      } else {
        storage.setItem(storageKey(key), JSON.stringify(kept));
      }
    } catch {
      // Storage is full or closed to us; the draft then lives as long as the page.
    }
  }

  function set(key: string, draft: Draft) {
    store.set(key, draft);
    keep(key);
  }

  function get(key: string): Draft {
    const draft = store.get(key);
    if (draft !== undefined) return draft;
    const read = readKept(storage, storageKey(key));
    store.set(key, read);
    return read;
  }

  return {
    get,
    subscribe: store.subscribe,

    write(key: string, content: string) {
      set(key, { ...get(key), content });
    },

    attach(key: string, attachment: Attachment) {
      set(key, { ...get(key), attachments: [...get(key).attachments, attachment] });
    },

    /** Changes one attachment; without a change it is taken out. */
    changeAttachment(key: string, id: string, change: ((before: Attachment) => Attachment) | null) {
      const attachments = get(key).attachments.flatMap((attachment) => {
        if (attachment.id !== id) return [attachment];
        return change === null ? [] : [change(attachment)];
      });
      set(key, { ...get(key), attachments });
    },

    notice(key: string, notice: string | null, notice_code: string | null = null) {
      set(key, { ...get(key), notice, notice_code });
    },

    /** Opens a message of the chat for editing, with those of its files that are still there. */
    edit(key: string, message: { message_id: string; content: string; files: MemberFile[] }) {
      const { message_id, content } = message;
      const files = message.files.filter(({ deleted }) => !deleted);
      set(key, {
        content,
        attachments: files.map(readyAttachment),
        notice: leftOutSentence(message.files.filter(({ deleted }) => deleted)),
        notice_code: null,
        edits_message_id: message_id,
      });
    },

    /** Forgets what is written. */
    clear(key: string) {
      set(key, empty);
    },

    /** Takes the words and the uploaded files out to be sent. */
    take(key: string): Taken {
      const draft = get(key);
      const { edits_message_id } = draft;
      const taken = { content: draft.content.trim(), files: readyFiles(draft), edits_message_id };
      unsent.set(key, taken);
      set(key, empty);
      return taken;
    },

    /** The server has what was taken: it need not be kept here any longer. */
    settle(key: string) {
      if (unsent.delete(key)) keep(key);
    },

    /** Puts what was taken back, before anything written since. */
    putBack(key: string, taken: Taken, notice: string | null, notice_code: string | null = null) {
      unsent.delete(key);
      const draft = get(key);
      set(key, {
        content: [taken.content, draft.content].filter(Boolean).join('\n\n'),
        attachments: [...taken.files.map(readyAttachment), ...draft.attachments],
        notice,
        notice_code,
        edits_message_id: taken.edits_message_id ?? draft.edits_message_id,
      });
    },
  };
}

/** Forgets every draft in this browser, whoever wrote it: for signing out on a shared computer. */
export function forgetDrafts(storage: Storage) {
  for (const key of Object.keys(storage)) if (key.startsWith(prefix)) storage.removeItem(key);
}

/** The files of a draft that are uploaded. */
function readyFiles(draft: Draft) {
  return draft.attachments.flatMap((attachment) => (attachment.state === 'ready' ? [attachment.file] : []));
}

function readyAttachment(file: MemberFile): Attachment {
  return {
    id: file.id,
    file_name: file.file_name,
    file_size: file.file_size,
    source: null,
    state: 'ready',
    file,
  };
}

function readKept(storage: Pick<Storage, 'getItem'>, storage_key: string): Draft {
  try {
    const text = storage.getItem(storage_key);
    if (text === null) return empty;
    const kept: KeptDraft = JSON.parse(text);
    return {
      content: [kept.unsent?.content, kept.content].filter(Boolean).join('\n\n'),
      attachments: [...(kept.unsent?.files ?? []), ...(kept.files ?? [])].map(readyAttachment),
      notice: null,
      notice_code: null,
      edits_message_id: kept.unsent?.edits_message_id ?? kept.edits_message_id ?? null,
    };
  } catch {
    return empty;
  }
}

/** That deleted files do not go along; null where there are none. */
function leftOutSentence(files: MemberFile[]) {
  if (files.length === 0) return null;
  const names = files.map(({ file_name }) => `“${file_name}”`).join(', ');
  return `${names} ${files.length === 1 ? 'was' : 'were'} deleted, and will not go along with the message.`;
}
