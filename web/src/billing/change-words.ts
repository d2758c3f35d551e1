import type { Formats } from '../accounts/formats.ts';
import { type Billing, isLive, type PlanCatalog, type PlanWish } from './billing.ts';
import { includedLines, planTitle, priceWords } from './plan-words.ts';

/** What a change of the plan would do, as the server says it. Amounts are in the smallest unit of the currency. */
export type ChangePreview = {
  when: 'now' | 'at_period_end' | 'unchanged';
  /** When it begins. */
  at: string;
  from: PlanWish;
  to: PlanWish;
  /** Null: nothing is charged now. */
  due_now_minor: number | null;
  /** Each interval from then on, before tax and discounts. */
  price_minor: number;
  currency: string;
  /** To be sent along with the change. */
  previewed_at_s: number;
};

type Context = { catalog: PlanCatalog; billing: Billing; formats: Formats };

/**
 * A change in words: `title`; `facts`, of which the first says what is charged today; `confirm`, on the button, null where
 * there is nothing to change; `done`, for afterwards.
 */
export function changeWords(preview: ChangePreview, { catalog, billing, formats }: Context) {
  const { when, from, to, due_now_minor, currency, at } = preview;
  const subscription = isLive(billing.subscription) ? billing.subscription : null;
  const title = planTitle(catalog, to.plan);
  const former = planTitle(catalog, from.plan);
  const same_plan = from.plan === to.plan;
  const price = priceWords(preview.price_minor, currency, to.interval, formats);
  const undone =
    subscription?.cancel_at != null
      ? ['Your cancellation is taken back: the plan goes on.']
      : subscription?.next
        ? [`The change to ${planTitle(catalog, subscription.next.plan)} that was to come is taken back.`]
        : [];

  if (when === 'unchanged') {
    return { title: `You have ${title} already`, facts: ['Nothing would change.'], confirm: null, done: '' };
  }
  if (when === 'at_period_end') {
    const day = formats.date(at);
    const what = same_plan ? `${title} is paid by the ${to.interval}: ${price}` : `${title} begins: ${price}`;
    return {
      title: same_plan ? `Pay ${title} by the ${to.interval}?` : `Change to ${title}?`,
      facts: [
        'Nothing is charged today.',
        `Until ${formats.moment(at)} everything stays as it is${same_plan ? '' : `: you keep ${former}, which you have paid for`}.`,
        `Then ${what}, before tax.`,
        ...(same_plan
          ? []
          : [`It includes: ${includes(catalog, to.plan, formats)}. Your chats and files stay.`]),
        ...undone.filter(() => subscription?.cancel_at != null),
        'You can take this back until then.',
      ],
      confirm: same_plan ? `Pay by the ${to.interval} from then on` : `Change to ${title}`,
      done: same_plan
        ? `From ${day} on you pay ${title} by the ${to.interval}.`
        : `${title} begins on ${day}. Until then you keep ${former}.`,
    };
  }
  const charged = due_now_minor !== null && due_now_minor > 0;
  const due = formats.money(due_now_minor ?? 0, currency);
  const renewal = same_plan || to.interval !== from.interval ? null : subscription?.current_period_end;
  return {
    title: same_plan ? `Pay ${title} by the ${to.interval}?` : `Upgrade to ${title}?`,
    facts: [
      charged
        ? `You pay ${due} today.`
        : 'Nothing is charged today: what is left of what you paid covers it, and what is over counts towards later payments.',
      ...(charged
        ? [explainDue(preview, { title, former, until: renewal ? formats.date(renewal) : null })]
        : []),
      renewal
        ? `From ${formats.date(renewal)} on it is ${price}, before tax.`
        : `A new ${to.interval} begins today. After it, it is ${price}, before tax.`,
      ...(same_plan
        ? ['What the plan includes each month stays the same.']
        : [
            `${title} begins at once: ${includes(catalog, to.plan, formats)}. What you have used this month stays counted.`,
          ]),
      ...undone,
    ],
    confirm: charged ? `Pay ${due} now` : same_plan ? `Pay by the ${to.interval}` : `Upgrade to ${title}`,
    done: same_plan ? `You now pay ${title} by the ${to.interval}.` : `${title} is yours from now on.`,
  };
}

function explainDue(
  { from, to }: ChangePreview,
  { title, former, until }: { title: string; former: string; until: string | null },
) {
  const rest = `less what is left of what you paid for ${from.plan === to.plan ? `the ${from.interval}` : former}`;
  return until === null
    ? `That is the first ${to.interval} of ${title}, ${rest}. Your card at Stripe is charged.`
    : `That is ${title} until ${until}, ${rest}. Your card at Stripe is charged.`;
}

function includes(catalog: PlanCatalog, slug: string, formats: Formats) {
  const plan = catalog.plans.find((one) => one.slug === slug);
  const lines = plan ? includedLines(plan.includes, formats) : [];
  return lines.map(lowerFirst).join(', ');
}

function lowerFirst(line: string) {
  return line.charAt(0).toLowerCase() + line.slice(1);
}
