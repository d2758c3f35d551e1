import Check from 'lucide-react/icons/check';
import ChevronDown from 'lucide-react/icons/chevron-down';
import { type ComponentProps, type ReactNode, useId } from 'react';

const look =
  'w-full min-h-11 rounded-md border border-line-strong bg-surface px-3 text-[1rem] outline-offset-0 aria-invalid:border-danger';

type FieldProps = {
  label: string;
  hint?: ReactNode;
  /** Why what stands in it is not taken, as a sentence. */
  problem?: string | null;
};

/** A line of text with its label, a hint, and what is wrong with it. `beside`: a button at its end. */
export function TextField({
  label,
  hint,
  problem = null,
  beside,
  ...rest
}: FieldProps & { beside?: ReactNode } & Omit<ComponentProps<'input'>, 'id' | 'className'>) {
  const id = useId();
  return (
    <FieldFrame id={id} label={label} hint={hint} problem={problem}>
      <div className="relative">
        <input
          {...rest}
          id={id}
          aria-invalid={problem !== null || undefined}
          aria-describedby={describedBy(id, hint, problem)}
          className={`${look} ${beside ? 'pr-12' : ''}`}
        />
        {beside}
      </div>
    </FieldFrame>
  );
}

/** A choice out of many; `children` are its options. */
export function SelectField({
  label,
  hint,
  problem = null,
  children,
  ...rest
}: FieldProps & Omit<ComponentProps<'select'>, 'id' | 'className'>) {
  const id = useId();
  return (
    <FieldFrame id={id} label={label} hint={hint} problem={problem}>
      <div className="relative">
        <select
          {...rest}
          id={id}
          aria-describedby={describedBy(id, hint, problem)}
          className={`${look} appearance-none truncate pr-10`}
        >
          {children}
        </select>
        <ChevronDown
          size={18}
          aria-hidden="true"
          className="pointer-events-none absolute inset-y-0 right-3 my-auto text-muted"
        />
      </div>
    </FieldFrame>
  );
}

function describedBy(id: string, hint: ReactNode, problem: string | null) {
  const parts = [problem !== null && `${id}-problem`, hint != null && `${id}-hint`].filter(Boolean);
  return parts.length === 0 ? undefined : parts.join(' ');
}

function FieldFrame({
  id,
  label,
  hint,
  problem,
  children,
}: FieldProps & { id: string; children: ReactNode }) {
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      {children}
      {problem && (
        <p id={`${id}-problem`} className="text-small text-danger">
          {problem}
        </p>
      )}
      {hint != null && (
        <p id={`${id}-hint`} className="text-small text-muted">
          {hint}
        </p>
      )}
    </div>
  );
}

/** Why something was not done. It is there before there is a reason, so that the reason is spoken. */
export function Problem({ children, className = '' }: { children: ReactNode; className?: string }) {
  return (
    <div role="alert" className="empty:hidden">
      {children && (
        <p className={`rounded-md bg-danger-tint px-3 py-2.5 text-danger ${className}`}>{children}</p>
      )}
    </div>
  );
}

/** That something was done, beside the button that did it. */
export function Done({ children }: { children: ReactNode }) {
  return (
    <div role="status">
      {children && (
        <p className="appear flex items-start gap-2">
          <Check size={18} aria-hidden="true" className="mt-0.5 shrink-0 text-link" />
          <span>{children}</span>
        </p>
      )}
    </div>
  );
}
