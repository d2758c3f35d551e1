import { isMissing, type StripeClient } from './stripe-client.ts';

/** Erases customers at Stripe, which ends what they still pay. Invoices stay there, as the law wants it. */
export function billingErasers(client: StripeClient) {
  return {
    async stripe_customer(id: string): Promise<void> {
      const stripe = await client.load();
      try {
        await stripe.customers.del(id);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}
