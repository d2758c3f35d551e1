import { type MemberFile, refusalFor } from '../files/file.ts';
import { type FileUpload, sendFile } from '../files/file-upload.ts';
import type { Api } from '../platform/api.ts';
import type { Config } from '../platform/config.ts';
import { newId } from '../platform/new-id.ts';
import type { Drafts } from './drafts.ts';

type AttachContext = { api: Api; drafts: Drafts; config: Config };

/** Begins to upload files into a draft, as many as a message may carry; says so when there are more. */
export function attachFiles({ api, drafts, config }: AttachContext, draft_key: string, files: File[]) {
  const most = config.max_files_per_message;
  const room = most - drafts.get(draft_key).attachments.length;
  drafts.notice(
    draft_key,
    files.length > room
      ? `A message carries up to ${most} files. The rest was left out; send it with the next message.`
      : null,
  );
  for (const file of files.slice(0, Math.max(0, room))) {
    const id = newId();
    const refusal = refusalFor(file, config);
    const common = { id, file_name: file.name, file_size: file.size, source: file };
    if (refusal !== null) {
      drafts.attach(draft_key, { ...common, state: 'failed', detail: refusal, retryable: false });
    } else {
      drafts.attach(draft_key, { ...common, state: 'failed', detail: '', retryable: true });
      void uploadAttachment({ api, drafts, config }, draft_key, id);
    }
  }
}

/** Uploads an attachment that is not up yet, or again after it failed. */
export async function uploadAttachment(
  { api, drafts }: AttachContext,
  draft_key: string,
  attachment_id: string,
) {
  const source = drafts.get(draft_key).attachments.find(({ id }) => id === attachment_id)?.source;
  if (!source) return;
  await sendFile<MemberFile>(api, '/api/files', { id: attachment_id, source }, (upload) =>
    drafts.changeAttachment(draft_key, attachment_id, () => upload),
  );
}

/** Attaches files of the library, as many as a message may carry; those that the draft has stay as they are. */
export function attachLibraryFiles(
  { drafts, config }: AttachContext,
  draft_key: string,
  files: MemberFile[],
) {
  const { attachments } = drafts.get(draft_key);
  const attached_ids = libraryIdsOf(attachments);
  const room = Math.max(0, config.max_files_per_message - attachments.length);
  const missing = files.filter(({ library_id }) => !library_id || !attached_ids.includes(library_id));
  for (const file of missing.slice(0, room)) {
    const { id, file_name, file_size } = file;
    drafts.attach(draft_key, { id, file_name, file_size, source: null, state: 'ready', file });
  }
}

/** Which files of the library are attached. */
export function libraryIdsOf(attachments: FileUpload[]) {
  return attachments.flatMap((attachment) =>
    attachment.state === 'ready' && attachment.file.library_id ? [attachment.file.library_id] : [],
  );
}

/**
 * Takes an attachment out of a draft; its upload is cut off, or the uploaded file deleted, unless it is the library's or
 * a message of the chat has it (`kept_file_ids`).
 */
export function removeAttachment(
  { api, drafts }: AttachContext,
  draft_key: string,
  attachment_id: string,
  kept_file_ids: string[] = [],
) {
  const attachment = drafts.get(draft_key).attachments.find(({ id }) => id === attachment_id);
  if (attachment?.state === 'uploading') attachment.cancel();
  drafts.changeAttachment(draft_key, attachment_id, null);
  if (attachment?.state !== 'ready' || attachment.file.library_id) return;
  if (!kept_file_ids.includes(attachment.file.id)) {
    // Nobody waits for it: a file that no message carries is also cleared away by the server.
    api.delete(`/api/files/${attachment.file.id}`).catch(() => {});
  }
}
