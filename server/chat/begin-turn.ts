import { insertMissingProfile } from '../accounts/queries.ts';
import type { SignedIn } from '../platform/auth.ts';
import type { Database } from '../platform/database.ts';
import { AppError, notFound } from '../platform/errors.ts';
import { type Allowances, type BeginInput, type BegunTurn, beginTurn } from './queries.ts';

const nothingCounted = 'Nothing was sent or counted.';

/**
 * Takes in a message in one round trip. Returns what its reply needs, or undefined for a turn that was sent before.
 * Throws, with nothing written or counted, what stands in the way.
 */
export async function beginTurnOrRefuse(
  database: Database,
  person: SignedIn,
  input: Omit<BeginInput, 'auth_id'>,
): Promise<BegunTurn | undefined> {
  const begin = () => beginTurn(database, { ...input, auth_id: person.auth_id });
  let result = await begin();
  if (result.outcome === 'no_profile' && (await insertMissingProfile(database, person)))
    result = await begin();
  switch (result.outcome) {
    case 'begun':
      return result;
    case 'exists':
      return undefined;
    case 'no_profile':
      throw new AppError('sign_in_required', 'This account does not exist any more. Sign up again.');
    case 'account_closed':
      throw new AppError('account_closed', `This account is closed. ${nothingCounted}`);
    case 'account_inactive':
      throw new AppError(
        'account_inactive',
        `New messages are paused for this account. ${nothingCounted} Ask whoever runs this site.`,
      );
    case 'plan_required':
      throw new AppError('plan_required', `Your plan does not include this coach. ${nothingCounted}`);
    case 'email_unconfirmed':
      throw new AppError(
        'email_unconfirmed',
        `Confirm your email address first: open the link in the mail that we sent you, or have it sent again. ${nothingCounted}`,
      );
    case 'quota_exhausted':
      throw quotaExhausted(result.allowances);
    case 'session_not_found':
      throw notFound('chat');
    case 'coach_mismatch':
      throw new AppError('invalid_request', `This chat is with another coach. ${nothingCounted}`);
    case 'message_not_found':
      throw new AppError(
        'not_found',
        `This message is not part of the chat any more. ${nothingCounted} Load the page again.`,
      );
    case 'file_not_found':
      throw new AppError(
        'not_found',
        `One of the files is not there any more. ${nothingCounted} Add it again.`,
      );
    case 'turn_in_progress':
      throw new AppError(
        'turn_in_progress',
        `The coach is still answering your last message. ${nothingCounted} Send this one when the reply has ended, or stop the reply.`,
      );
    case 'turn_id_taken':
      throw new AppError(
        'turn_id_taken',
        `This message could not be taken in. ${nothingCounted} Send it again.`,
      );
  }
}

function quotaExhausted({ renews_at, ...allowances }: Allowances & { renews_at: string }) {
  const counter = allowances.messages === 0 ? 'messages' : 'tokens';
  const used = counter === 'messages' ? 'all the messages' : 'all the reading and writing';
  // In UTC; a page says it in the member's own time, from `renews_at`.
  const day = new Date(renews_at).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    timeZone: 'UTC',
  });
  return new AppError(
    'quota_exhausted',
    `You have used ${used} of your plan for this month; it begins anew on ${day}. ${nothingCounted} A larger plan, or messages on top, let you go on before.`,
    {
      details: { counter, allowances, renews_at },
    },
  );
}
