import type { ComponentProps, ReactNode } from 'react';
import { Button } from '../platform/button.tsx';
import { Problem } from '../platform/fields.tsx';
import type { StripePage } from './use-stripe-page.ts';

/** A button that leads to a page at Stripe, with why it did not. `name`: which of the page's such buttons it is. */
export function StripeButton({
  page,
  name,
  onPress,
  children,
  ...rest
}: {
  page: StripePage;
  name: string;
  onPress: () => void;
  children: ReactNode;
} & Pick<ComponentProps<typeof Button>, 'look' | 'className' | 'aria-label'>) {
  return (
    <>
      <Button {...rest} aria-disabled={page.opening !== null} onClick={onPress}>
        {page.opening === name ? 'Opening Stripe' : children}
      </Button>
      {page.problem?.name === name && <Problem className="mt-2">{page.problem.sentence}</Problem>}
    </>
  );
}

/** Cards, invoices and tax data, which are at Stripe. */
export function PortalButton({
  page,
  name = 'portal',
  look,
  children = 'Cards and invoices',
}: {
  page: StripePage;
  name?: string;
  look?: ComponentProps<typeof Button>['look'];
  children?: ReactNode;
}) {
  return (
    <StripeButton page={page} name={name} {...(look ? { look } : {})} onPress={() => page.openPortal(name)}>
      {children}
    </StripeButton>
  );
}
