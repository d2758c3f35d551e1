import { refusalFor } from '../files/file.ts';
import { uploadFile } from '../files/upload-file.ts';
import type { Api } from '../platform/api.ts';
import { ApiError, sentenceFor } from '../platform/api-error.ts';
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
  const abort = new AbortController();
  const common = { id: attachment_id, file_name: source.name, file_size: source.size, source };
  const cancel = () => abort.abort();
  const showShare = (share: number) =>
    drafts.changeAttachment(draft_key, attachment_id, () => ({
      ...common,
      state: 'uploading',
      share,
      cancel,
    }));
  showShare(0);
  try {
    const file = await uploadFile(api, source, { signal: abort.signal, onProgress: showShare });
    drafts.changeAttachment(draft_key, attachment_id, () => ({ ...common, state: 'ready', file }));
  } catch (error) {
    if (abort.signal.aborted) return;
    const retryable =
      !(error instanceof ApiError) || error.status === 0 || error.status === 429 || error.status >= 500;
    drafts.changeAttachment(draft_key, attachment_id, () => ({
      ...common,
      state: 'failed',
      detail: sentenceFor(error),
      retryable,
      ...usedUpBy(error),
    }));
  }
}

/** What of the plan is used up, where that is why a file was refused. */
function usedUpBy(error: unknown) {
  if (!(error instanceof ApiError) || error.code !== 'quota_exhausted') return {};
  return { used_up: error.details.counter === 'storage' ? ('storage' as const) : ('files' as const) };
}

/**
 * Takes an attachment out of a draft; its upload is cut off, or the uploaded file deleted, unless a message of the
 * chat has it (`kept_file_ids`).
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
  if (attachment?.state === 'ready' && !kept_file_ids.includes(attachment.file.id)) {
    // Nobody waits for it: a file that no message carries is also cleared away by the server.
    api.delete(`/api/files/${attachment.file.id}`).catch(() => {});
  }
}
