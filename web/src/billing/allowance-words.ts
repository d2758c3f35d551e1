import type { Formats } from '../accounts/formats.ts';
import { allowanceOf, type Me, messagesLeft, usedUp } from '../accounts/me.ts';

type Counter = 'messages' | 'tokens' | 'files' | 'storage';
/** What the words need: a language, a time zone. */
type Writes = Pick<Formats, 'dayAndTime' | 'number' | 'percent'>;

/** Ten is what one works through in an hour, so nobody is told earlier. */
const few_messages = 10;
const small_share = 0.1;

/**
 * One line on what is left, with the member's own day and hour of the renewal; null as long as there is plenty, without
 * a limit, and when nothing is left, which is told at more length.
 */
export function lowAllowanceLine(me: Me, formats: Writes): string | null {
  const total = messagesLeft(me);
  if (total === 0) return null;
  return lowMessagesLine(me, total, formats) ?? lowTokensLine(me, formats);
}

function lowMessagesLine(me: Me, total: number | null, { number, dayAndTime }: Writes) {
  const { messages: quota } = me.subscription_quota;
  const { tokens, credits } = allowanceOf(me);
  if (total === null || total > fewOf(quota, credits)) return null;
  const of_plan = tokens === 0 ? 0 : total - credits;
  const renewal = dayAndTime(me.renews_at);
  if (of_plan === 0) return `${bought(credits, number)} left. Your plan renews on ${renewal}.`;
  const of_month = `${countOf(of_plan, 'message', number)} left this month`;
  if (credits > 0)
    return `${of_month}, and ${number(credits)} that you bought. Your plan renews on ${renewal}.`;
  return `${of_month}. They renew on ${renewal}.`;
}

function fewOf(quota: number | null, credits: number) {
  if (quota === null || credits > 0) return few_messages;
  return Math.min(few_messages, Math.max(1, Math.floor(quota * small_share)));
}

function lowTokensLine(me: Me, { percent, dayAndTime }: Writes) {
  const { tokens: quota } = me.subscription_quota;
  const { tokens, credits } = allowanceOf(me);
  if (quota === null || tokens === null || tokens === 0 || tokens > quota * small_share) return null;
  // Bought messages go on without.
  if (credits > few_messages) return null;
  const share = Math.max(0.01, tokens / quota);
  return `${percent(share)} of this month’s reading and writing is left. It renews on ${dayAndTime(me.renews_at)}.`;
}

/** What is used up, and when it renews; null as long as a message can be sent. */
export function usedUpWords(me: Me, formats: Writes) {
  const counter = usedUp(me);
  return counter && quotaWords(counter, me.renews_at, formats);
}

/** The same for any counter that the server has refused something for. */
export function quotaWords(counter: Counter, renews_at: string, { dayAndTime }: Pick<Formats, 'dayAndTime'>) {
  const renewal = dayAndTime(renews_at);
  switch (counter) {
    case 'messages':
      return {
        title: `${used} the messages of your plan for this month.`,
        when: `They renew on ${renewal}.`,
      };
    case 'tokens':
      return {
        title: `${used} the reading and writing of your plan for this month.`,
        when: `It renews on ${renewal}.`,
      };
    case 'files':
      return { title: `${used} the files of your plan for this month.`, when: `They renew on ${renewal}.` };
    case 'storage':
      return {
        title: 'There is no room left for your files.',
        when: 'Room does not renew with the month.',
      };
  }
}

const used = 'You have used all';

/** `4 messages`, `1 message` */
export function countOf(count: number, thing: string, number: Formats['number']) {
  return `${number(count)} ${thing}${count === 1 ? '' : 's'}`;
}

function bought(credits: number, number: Formats['number']) {
  return `${number(credits)} bought message${credits === 1 ? '' : 's'}`;
}
