import { usePlatform } from './platform-context.ts';

/** Where no language model is connected, every screen says so, quietly. */
export function PracticeLine() {
  const { config } = usePlatform();
  if (config.model !== 'practice') return null;
  return (
    <footer className="px-4 pt-1.5 pb-[max(0.5rem,env(safe-area-inset-bottom))] text-center text-small text-muted">
      The practice coach answers here, without a language model. A key switches on the real one.
    </footer>
  );
}
