/** The plans from the smallest to the largest; each includes the coaches of those before it. */
export const plans = ['free', 'starter', 'pro', 'enterprise'] as const;

export type Plan = (typeof plans)[number];

/** The plans whose members a coach of `plan` is for. */
export function plansFrom(plan: Plan): Plan[] {
  return plans.slice(plans.indexOf(plan));
}
