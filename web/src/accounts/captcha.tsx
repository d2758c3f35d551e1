import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';
import type { Config } from '../platform/config.ts';
import { usePlatform } from '../platform/platform-context.ts';

/** What both makers' scripts offer, as far as we use it. */
type Widget = {
  render: (element: HTMLElement, options: Record<string, unknown>) => string;
  reset: (id: string) => void;
  remove: (id: string) => void;
};
type Provider = NonNullable<Config['captcha']>['provider'];

const scripts: Record<Provider, string> = {
  hcaptcha: 'https://js.hcaptcha.com/1/api.js?render=explicit',
  turnstile: 'https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit',
};
const loading = new Map<Provider, Promise<Widget>>();

/** Loads a maker's script once; throws when it is blocked or cannot be reached, and may then be tried again. */
function loadWidget(provider: Provider): Promise<Widget> {
  const known = loading.get(provider);
  if (known) return known;
  const widget = new Promise<Widget>((resolve, reject) => {
    const script = document.createElement('script');
    script.src = scripts[provider];
    script.async = true;
    script.onload = () => {
      const found = (window as unknown as Record<Provider, Widget | undefined>)[provider];
      if (found) resolve(found);
      else reject(new Error(`The script of ${provider} brought nothing.`));
    };
    script.onerror = () => reject(new Error(`The script of ${provider} did not load.`));
    document.head.append(script);
  });
  loading.set(provider, widget);
  widget.catch(() => loading.delete(provider));
  return widget;
}

/** The test for machines, where the sign-in asks for one: what to render, and its answer for one try. */
export function useCaptcha() {
  const { captcha } = usePlatform().config;
  const token = useRef<string | null>(null);
  const reset = useRef(() => {});
  return {
    /** False while the test still has to be done. */
    isDone: () => captcha === null || token.current !== null,
    /** The answer, which is good for one call: the next one needs a new one. */
    take: () => {
      const taken = token.current;
      token.current = null;
      reset.current();
      return taken === null ? {} : { captchaToken: taken };
    },
    box: captcha && <CaptchaBox captcha={captcha} token={token} reset={reset} />,
  };
}

export const captcha_wanted = 'Do the check that you are a person first, above the button.';

function CaptchaBox({
  captcha: { provider, site_key },
  token,
  reset,
}: {
  captcha: NonNullable<Config['captcha']>;
  token: RefObject<string | null>;
  reset: RefObject<() => void>;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [failed, setFailed] = useState(false);
  const show = useCallback(() => {
    let shown: { widget: Widget; id: string } | undefined;
    let gone = false;
    setFailed(false);
    loadWidget(provider).then(
      (widget) => {
        if (gone || box.current === null) return;
        const forget = () => {
          token.current = null;
        };
        const { theme } = document.documentElement.dataset;
        const dark = theme ? theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
        const id = widget.render(box.current, {
          sitekey: site_key,
          theme: dark ? 'dark' : 'light',
          callback: (given: string) => {
            token.current = given;
          },
          'expired-callback': forget,
          'error-callback': forget,
        });
        shown = { widget, id };
        reset.current = () => widget.reset(id);
      },
      () => setFailed(!gone),
    );
    return () => {
      gone = true;
      token.current = null;
      reset.current = () => {};
      shown?.widget.remove(shown.id);
    };
  }, [provider, site_key, token, reset]);
  useEffect(show, [show]);
  return (
    <div>
      <div ref={box} className="min-h-[65px]" />
      <div role="alert">
        {failed && (
          <p className="text-danger">
            The check that you are a person could not be loaded. Something in this browser may block it: allow{' '}
            {new URL(scripts[provider]).host}, then load this page again.
          </p>
        )}
      </div>
    </div>
  );
}
