import type { Formats } from '../accounts/formats.ts';
import { countOf } from './allowance-words.ts';
import type { Billing, Includes, Interval, Plan, PlanCatalog, PlanWish, TopUp } from './billing.ts';

type Writes = Pick<Formats, 'number' | 'money'>;

/** What a plan is called; one that is gone from the list by its name. */
export function planTitle({ plans }: Pick<PlanCatalog, 'plans'>, slug: string) {
  const found = plans.find((plan) => plan.slug === slug);
  return found?.title ?? slug.charAt(0).toUpperCase() + slug.slice(1).replaceAll('_', ' ');
}

/** What a plan includes, a line each. */
export function includedLines({ messages, files, tokens, storage_mb }: Includes, { number }: Writes) {
  const lines = [
    messages === null ? 'Messages without a limit' : `${countOf(messages, 'message', number)} a month`,
    tokens === null
      ? 'Reading and writing without a limit'
      : `About ${number(wordsOf(tokens))} words read and written a month`,
    files === null ? 'Files without a limit' : `${countOf(files, 'new file', number)} a month`,
  ];
  if (storage_mb === null) lines.push('Room for files without a limit');
  else if (storage_mb !== undefined) lines.push(`${roomFor(storage_mb, number)} of room for files`);
  return lines;
}

/** Four characters a token, and six a word with its space. */
export const words_a_token = 4 / 6;

/** About how many words that is; two digits are as exact as it can be told. */
export function wordsOf(tokens: number) {
  return Number(Math.ceil(tokens * words_a_token).toPrecision(2));
}

/** `100 MB`, `1 GB`, `1.5 GB` */
function roomFor(storage_mb: number, number: Formats['number']) {
  return storage_mb < 1_000 ? `${number(storage_mb)} MB` : `${number(Math.round(storage_mb / 100) / 10)} GB`;
}

/** `$19 a month` */
export function priceWords(amount_minor: number, currency: string, interval: Interval, { money }: Writes) {
  return `${money(amount_minor, currency)} a ${interval}`;
}

/** What paying by the year saves of twelve months, in the smallest unit of the currency; 0: nothing. */
export function yearlySaving({ price }: Pick<Plan, 'price'>) {
  return price === null ? 0 : Math.max(0, price.month * 12 - price.year);
}

/** What paying by the year saves, in words for the switch: of each plan the same months, else a share; null: nothing. */
export function yearlySavingWords(plans: Pick<Plan, 'price'>[], { percent }: Pick<Formats, 'percent'>) {
  const priced = plans.flatMap(({ price }) => (price === null ? [] : [price]));
  const months = priced.map((price) => yearlySaving({ price }) / price.month);
  const most = Math.max(0, ...months);
  if (most / 12 < 0.01) return null;
  const isSame = months.every((count) => count === most);
  if (isSame && Number.isInteger(most)) return `${most} ${most === 1 ? 'month' : 'months'} free`;
  return `saves ${isSame ? '' : 'up to '}${percent(Math.floor((most / 12) * 100) / 100)}`;
}

export type Choice = 'present' | 'buy' | 'upgrade' | 'yearly' | 'monthly' | 'downgrade' | 'cancel' | 'none';

/** What choosing a plan means for somebody who pays for `present`; null: for nothing. */
export function choiceOf(plans: Plan[], present: PlanWish | null, wish: PlanWish): Choice {
  const rank = (slug: string) => plans.findIndex((plan) => plan.slug === slug);
  const isFree = plans[rank(wish.plan)]?.price === null;
  if (present === null) return isFree ? 'none' : 'buy';
  if (isFree) return 'cancel';
  const step = rank(wish.plan) - rank(present.plan);
  if (step !== 0) return step > 0 ? 'upgrade' : 'downgrade';
  if (wish.interval === present.interval) return 'present';
  return wish.interval === 'year' ? 'yearly' : 'monthly';
}

/** The coaches that a plan opens, in words; null: none. */
export function coachesWords(coaches: { name: string; plans: string[] }[], slug: string) {
  const names = coaches.filter(({ plans }) => plans.includes(slug)).map(({ name }) => name);
  if (names.length === 0) return null;
  if (names.length === coaches.length) return 'Every coach';
  const last = names.at(-1)!;
  return names.length === 1
    ? `The coach ${last}`
    : `The coaches ${names.slice(0, -1).join(', ')} and ${last}`;
}

/** What buying messages would do, in a sentence. */
export function topUpWords({ messages }: Pick<TopUp, 'messages'>, { number }: Pick<Formats, 'number'>) {
  return `${countOf(messages, 'message', number)}, used after those of your plan. They never expire.`;
}

/** What is left this month, and of what was bought. A message needs both: one of its own, and something to read and write with. */
export function allowanceLine(
  { quota, usage, credits, renews_at }: Pick<Billing, 'quota' | 'usage' | 'credits' | 'renews_at'>,
  { number, moment }: Pick<Formats, 'number' | 'moment'>,
) {
  const bought = credits > 0 ? `, and ${number(credits)} that you bought` : '';
  if (quota.tokens !== null && usage.tokens >= quota.tokens) {
    const rest = credits > 0 ? `${number(credits)} messages that you bought are left` : 'No message is left';
    return `What is read and written in a month is used up. ${rest}. The month begins anew on ${moment(renews_at)}.`;
  }
  if (quota.messages === null) return `Messages without a limit${bought}.`;
  const left = Math.max(0, quota.messages - usage.messages);
  return `${number(left)} of ${countOf(quota.messages, 'message', number)} left${bought}. The month begins anew on ${moment(renews_at)}.`;
}
