import type { QueryClient } from '@tanstack/react-query';
import { type Allowance, noteAllowance } from '../accounts/me.ts';
import { type ChatSession, chatSessionKey, raiseChatSession } from './chat-session.ts';
import { type Drafts, editDraftKey } from './drafts.ts';
import type { TurnListeners } from './live-turns.ts';
import { messagesKey } from './message.ts';
import type { TellOtherTabs } from './other-tabs.ts';

/** Refusals that lie with the account rather than with the message. */
const account_refusals = ['quota_exhausted', 'plan_required', 'email_unconfirmed', 'account_inactive'];

/** What a turn changes elsewhere on the page: the list of chats, the stored messages, the allowance, the draft. */
export function turnEffects({
  queryClient,
  drafts,
  openNewChat,
  tellOtherTabs,
}: {
  queryClient: QueryClient;
  drafts: Drafts;
  /** Shows the page on which a first message is written. */
  openNewChat: (assistant_slug: string) => void;
  tellOtherTabs: TellOtherTabs;
}): TurnListeners {
  return {
    onAccepted(turn) {
      if (turn.request === null) return;
      if (turn.request.draft_key !== null) drafts.settle(turn.request.draft_key);
      const now = new Date().toISOString();
      const known = queryClient.getQueryData<ChatSession>(chatSessionKey(turn.chat_session_id));
      raiseChatSession(queryClient, {
        id: turn.chat_session_id,
        assistant_slug: known?.assistant_slug ?? turn.request.assistant_slug,
        title: turn.title ?? known?.title ?? '',
        created_at: known?.created_at ?? now,
        updated_at: now,
      });
      tellOtherTabs({ chat_session_id: turn.chat_session_id, gone: false });
    },

    onRefused(turn, request, error) {
      if (error.code === 'quota_exhausted' && error.details.allowances !== undefined)
        noteAllowance(queryClient, error.details.allowances as Allowance);
      // Where nothing was written, the reason alone stands at the composer.
      if (request.draft_key === null) drafts.notice(turn.chat_session_id, error.message, error.code);
      else drafts.putBack(request.draft_key, request, error.message, error.code);
      // What the page believed of the account was wrong, or is not true any more.
      if (account_refusals.includes(error.code)) void queryClient.invalidateQueries({ queryKey: ['me'] });
      const known = [null, turn.chat_session_id, editDraftKey(turn.chat_session_id)];
      if (known.includes(request.draft_key)) {
        void queryClient.invalidateQueries({ queryKey: messagesKey(turn.chat_session_id) });
      } else {
        queryClient.removeQueries({ queryKey: messagesKey(turn.chat_session_id) });
        openNewChat(request.assistant_slug);
      }
    },

    onEnded(turn, left) {
      if (turn.request !== null) tellOtherTabs({ chat_session_id: turn.chat_session_id, gone: false });
      if (left !== null) noteAllowance(queryClient, left);
      if (turn.user_message_id !== null || turn.request === null) {
        void queryClient.invalidateQueries({ queryKey: messagesKey(turn.chat_session_id) });
      }
    },
  };
}
