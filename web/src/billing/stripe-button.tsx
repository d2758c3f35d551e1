import type { ComponentProps, ReactNode } from 'react';
import { Button } from '../platform/button.tsx';
import { Problem } from '../platform/fields.tsx';
import type { StripePage } from './use-stripe-page.ts';

/** A button that leads to a page at Stripe. `name`: which of the page's such buttons it is. */
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
    <Button {...rest} aria-disabled={page.opening !== null} onClick={onPress}>
      {page.opening === name ? 'Opening Stripe' : children}
    </Button>
  );
}

/** Why no page was opened. It stands apart from the button, which may be another one by then. */
export function StripeProblem({ page: { problem }, name }: { page: StripePage; name: string }) {
  return <Problem className="mt-2">{problem?.name === name && problem.sentence}</Problem>;
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
    <div>
      <StripeButton page={page} name={name} {...(look ? { look } : {})} onPress={() => page.openPortal(name)}>
        {children}
      </StripeButton>
      <StripeProblem page={page} name={name} />
    </div>
  );
}
