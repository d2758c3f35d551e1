import type { Allowance } from '../accounts/me.ts';
import type { Api } from '../platform/api.ts';
import { ApiError } from '../platform/api-error.ts';
import { createStore, type Store } from '../platform/store.ts';
import {
  applyTurnEvent,
  isRunning,
  type LiveTurn,
  newLiveTurn,
  type TurnOutcome,
  type TurnRequest,
} from './live-turn.ts';
import { readTurnStream } from './turn-stream.ts';

/** What the rest of the page wants to hear of turns. */
export type TurnListeners = {
  /** The server has the member's message. */
  onAccepted: (turn: LiveTurn) => void;
  /** The server did not take the request; the turn is gone, what was written for it must go back to its writer. */
  onRefused: (turn: LiveTurn, request: TurnRequest, error: ApiError) => void;
  /** `left`: what the server says is left after it, where it does. */
  onEnded: (turn: LiveTurn, left: Allowance | null) => void;
};

export type LiveTurns = ReturnType<typeof createLiveTurns>;

/** Redrawing 30 times a second reads as flowing. */
const redraw_ms = 33;
const waits_ms = [500, 1000, 2000, 4000, 8000, 8000];

/**
 * The turns of this page by chat, at most one each. They live outside React: leaving a chat does not
 * cut its reply off. A broken connection is joined again by itself; `waits` (ms) is for tests.
 */
export function createLiveTurns(api: Api, listeners: TurnListeners, waits = waits_ms) {
  const store: Store<LiveTurn> = createStore(redraw_ms);

  function update(turn: LiveTurn, change: Partial<LiveTurn>) {
    const current = store.get(turn.chat_session_id);
    if (current?.id !== turn.id) return null;
    const next = { ...current, ...change };
    store.set(turn.chat_session_id, next);
    return next;
  }

  function fail(turn: LiveTurn, outcome: Extract<TurnOutcome, { status: 'failed' }>) {
    const ended = { stopping: false, connected: true, ended_at_ms: performance.now() };
    const failed = update(turn, { outcome, ...ended });
    if (failed !== null) listeners.onEnded(failed, null);
  }

  /** Waits until the server has the turn; false when it ended or went before that. */
  function isAccepted({ id, chat_session_id }: LiveTurn) {
    return new Promise<boolean>((resolve) => {
      const look = () => {
        const now = store.get(chat_session_id);
        const is_going = now?.id === id && isRunning(now);
        const is_known = now?.request === null || now?.user_message_id !== null;
        if (is_going && !is_known) return;
        unsubscribe();
        resolve(is_going);
      };
      const unsubscribe = store.subscribe(look);
      look();
    });
  }

  async function openStream(turn: LiveTurn, accepted: boolean) {
    if (accepted || turn.request === null) {
      return api.open(`/api/turns/${turn.id}/events?after=${turn.text.length}`);
    }
    return api.open(`/api/chat-sessions/${turn.chat_session_id}/turns`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify(bodyOf(turn.id, turn.request)),
    });
  }

  async function follow(start: LiveTurn) {
    let accepted = start.request === null || start.user_message_id !== null;
    let failures = 0;
    for (;;) {
      const turn = store.get(start.chat_session_id);
      if (turn?.id !== start.id) return;
      const length_before = turn.text.length;
      let problem: ApiError | null = null;
      try {
        const response = await openStream(turn, accepted);
        accepted = true;
        const ended = await readTurnStream(response.body!, (event) => {
          const current = store.get(start.chat_session_id);
          if (current?.id !== start.id) return;
          const next = applyTurnEvent(current, event);
          store.set(start.chat_session_id, next);
          if (event.type === 'turn') listeners.onAccepted(next);
          if (event.type === 'end') listeners.onEnded(next, event.allowance);
          if (event.type === 'error') listeners.onEnded(next, null);
        });
        if (ended) return;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        problem = error;
        if (error.status >= 400 && error.status < 500 && error.status !== 408) {
          if (!accepted && start.request !== null) {
            store.set(start.chat_session_id, undefined);
            listeners.onRefused(turn, start.request, error);
          } else {
            // Without the server's word on the message the same turn is sent again: it joins itself if it is there.
            const retry = start.request !== null && turn.user_message_id === null ? 'resend' : 'anew';
            fail(turn, { status: 'failed', code: error.code, detail: error.message, retry });
          }
          return;
        }
      }
      const now = store.get(start.chat_session_id);
      if (now?.id !== start.id) return;
      failures = now.text.length > length_before ? 0 : failures + 1;
      const wait_ms = waits[failures];
      if (wait_ms === undefined) {
        const code = problem?.code ?? 'unreachable';
        const detail = accepted ? details.lost : describeUnsent(now, problem);
        fail(now, { status: 'failed', code, detail, retry: accepted ? 'rejoin' : 'resend' });
        return;
      }
      update(now, { connected: false });
      await waitOrOnline(wait_ms);
    }
  }

  return {
    store,

    /**
     * Begins a turn: a new message, an edited one, or one that is answered again. The turn's id is made by the
     * caller, so that the same turn can be sent again.
     */
    begin(id: string, chat_session_id: string, request: TurnRequest) {
      const turn = newLiveTurn(id, chat_session_id, request);
      store.set(chat_session_id, turn);
      void follow(turn);
    },

    /** Joins a turn that runs on the server: after a reload, or from another tab. */
    join(id: string, chat_session_id: string) {
      if (store.get(chat_session_id)?.id === id) return;
      const turn = newLiveTurn(id, chat_session_id, null);
      store.set(chat_session_id, turn);
      void follow(turn);
    },

    /** Takes up a turn that failed on the way: sends it again under the same id, or joins it again. */
    takeUp(chat_session_id: string) {
      const turn = store.get(chat_session_id);
      if (turn?.outcome?.status !== 'failed' || turn.outcome.retry === 'anew') return;
      const next: LiveTurn = { ...turn, outcome: null, ended_at_ms: null, connected: true };
      store.set(chat_session_id, next);
      void follow(next);
    },

    /** Forgets a turn of this page, such as one whose words went back to the writer. */
    drop(chat_session_id: string) {
      store.set(chat_session_id, undefined);
    },

    /** Asks the server to stop. The end arrives over the stream. Throws `ApiError` when it could not be asked. */
    async stop(chat_session_id: string) {
      const turn = store.get(chat_session_id);
      if (turn === undefined || !isRunning(turn) || turn.stopping) return;
      update(turn, { stopping: true });
      // A turn that the server does not know yet cannot be stopped there.
      if (!(await isAccepted(turn))) return;
      try {
        await api.open(`/api/turns/${turn.id}/stop`, { method: 'POST' });
      } catch (error) {
        update(turn, { stopping: false });
        throw error;
      }
    },
  };
}

const details = {
  lost: 'The connection to your coach was lost. The reply goes on without you and is kept.',
  unsent:
    'Your message has not gone out: Touchline could not be reached. It is kept here; check your connection and try again.',
  not_asked:
    'Your coach was not asked again: Touchline could not be reached. Nothing is lost; check your connection and try again.',
};

function describeUnsent({ request }: LiveTurn, problem: ApiError | null) {
  if (problem !== null && problem.status !== 0) return problem.message;
  return request?.repeats_message_id ? details.not_asked : details.unsent;
}

function bodyOf(id: string, request: TurnRequest) {
  const { assistant_slug, content, files, edits_message_id, repeats_message_id } = request;
  if (repeats_message_id !== null) return { id, assistant_slug, repeats_message_id };
  const message = { id, assistant_slug, content, file_ids: files.map((file) => file.id) };
  return edits_message_id === null ? message : { ...message, edits_message_id };
}

function waitOrOnline(wait_ms: number) {
  return new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      globalThis.removeEventListener?.('online', done);
      resolve();
    };
    const timer = setTimeout(done, wait_ms);
    globalThis.addEventListener?.('online', done);
  });
}
