import type { ErrorCode } from '../server/platform/errors.ts';
import {
  balanceExhausted,
  type Fault,
  overloaded,
  rateLimited,
  serverError,
} from '../server/testing/fake-openai/faults.ts';

/** What goes wrong at the model, and what its member is to be told. */
export type UpstreamFault = {
  name: string;
  /** Whose requests it meets: those for the reply, or those that make a conversation. */
  path?: '/v1/responses' | '/v1/conversations';
  fault: Fault;
  /** How many requests of the turn it meets; 1 unless given. */
  times?: number;
  /** The turn's end: an error's code, or done. */
  end: ErrorCode | 'done' | 'incomplete';
  /** Whether words are said before it. */
  hasText?: boolean;
  /** The words in place of the reply. */
  says?: string;
  /** Before the turn the chat's conversation is deleted at the model, and there is no fault. */
  losesConversation?: boolean;
};

const tooLong: Fault = {
  status: 400,
  error: { message: 'Your input exceeds the context window.', code: 'context_length_exceeded' },
};

/** Each way in which the double can fail (server/testing/fake-openai/faults.ts), at each place where it matters. */
export const upstreamFaults: UpstreamFault[] = [
  { name: 'busy', fault: rateLimited(20), times: 3, end: 'model_rate_limited' },
  { name: 'busy for a moment', fault: rateLimited(20), times: 2, end: 'done' },
  { name: 'busy for longer than there is time', fault: rateLimited(60_000), end: 'model_rate_limited' },
  { name: 'an exhausted balance', fault: balanceExhausted(), end: 'model_balance_exhausted' },
  { name: 'an error 500', fault: serverError(), times: 3, end: 'model_failed' },
  { name: 'one error 500', fault: serverError(), end: 'done' },
  { name: 'an error 503', fault: overloaded(), times: 3, end: 'model_failed' },
  {
    name: 'a key that is refused',
    fault: { status: 401, error: { message: 'x', code: 'invalid_api_key' } },
    end: 'model_misconfigured',
  },
  {
    name: 'a message that is refused',
    fault: { status: 400, error: { message: 'x', code: 'content_policy_violation' } },
    end: 'model_refused',
  },
  {
    name: 'a refusal without end',
    fault: { refusal_without_end: 400 },
    end: 'model_misconfigured',
  },
  { name: 'no answer', fault: { hang: true }, end: 'model_timed_out' },
  { name: 'a late answer', fault: { wait_ms: 1_000 }, end: 'done' },
  { name: 'silence in the middle', fault: { stall_after: 12 }, end: 'model_timed_out', hasText: true },
  { name: 'a cut before the first word', fault: { cut_after: 1 }, end: 'model_cut_off' },
  { name: 'a cut in the middle', fault: { cut_after: 12 }, end: 'model_cut_off', hasText: true },
  { name: 'an end without completion', fault: { end_after: 12 }, end: 'model_cut_off', hasText: true },
  { name: 'a corrupt frame', fault: { corrupt_after: 12 }, end: 'model_cut_off', hasText: true },
  { name: 'a failure', fault: { failed: 'server_error', after: 5 }, end: 'model_failed', hasText: true },
  {
    name: 'a failure for being busy',
    fault: { failed: 'rate_limit_exceeded', after: 5 },
    end: 'model_rate_limited',
    hasText: true,
  },
  {
    name: 'a reply that ran into a limit',
    fault: { incomplete: 'max_output_tokens', after: 5 },
    end: 'incomplete',
    hasText: true,
  },
  {
    name: 'a reply that a filter ended',
    fault: { incomplete: 'content_filter', after: 5 },
    end: 'model_refused',
    hasText: true,
  },
  {
    name: 'a refusal in words',
    fault: { refusal: 'I will not write about this, but gladly about bread.' },
    end: 'done',
    says: 'I will not write about this, but gladly about bread.',
  },
  {
    name: 'an error event',
    fault: { error_event: { code: 'server_error', message: 'x' }, after: 5 },
    end: 'model_failed',
    hasText: true,
  },
  {
    name: 'an error event without a code',
    fault: { error_event: { code: null, message: 'x' }, after: 0 },
    end: 'model_failed',
  },
  {
    name: 'a conversation that is locked',
    fault: { status: 409, error: { message: 'x', code: 'conversation_locked', param: 'conversation' } },
    end: 'done',
  },
  {
    name: 'a conversation that is gone',
    fault: serverError(),
    times: 0,
    losesConversation: true,
    end: 'done',
  },
  { name: 'a chat that is too long', fault: tooLong, end: 'done' },
  {
    name: 'a chat that is too long, told in the stream',
    fault: { error_event: { code: 'context_length_exceeded', message: 'x' }, after: 0 },
    end: 'done',
  },
  { name: 'a message that is too long', fault: tooLong, times: 3, end: 'message_too_long' },
  {
    name: 'no conversation: no answer',
    path: '/v1/conversations',
    fault: { hang: true },
    end: 'model_timed_out',
  },
  { name: 'a late conversation', path: '/v1/conversations', fault: { wait_ms: 1_000 }, end: 'done' },
  {
    name: 'no conversation: 500',
    path: '/v1/conversations',
    fault: serverError(),
    times: 2,
    end: 'model_failed',
  },
  {
    name: 'no conversation: busy',
    path: '/v1/conversations',
    fault: rateLimited(20),
    times: 2,
    end: 'model_rate_limited',
  },
  {
    name: 'no conversation: balance',
    path: '/v1/conversations',
    fault: balanceExhausted(),
    times: 2,
    end: 'model_balance_exhausted',
  },
  {
    name: 'no conversation: a cut',
    path: '/v1/conversations',
    fault: { cut_after: 0 },
    times: 2,
    end: 'model_failed',
  },
];
