import { usePlatform } from './platform-context.ts';

/** Where no language model is connected, every screen says so, quietly. */
export function PracticeLine() {
  const { config } = usePlatform();
  if (config.model !== 'practice') return null;
  return (
    <footer className="px-4 pt-1.5 pb-[max(0.5rem,env(safe-area-inset-bottom))] text-center text-small text-balance text-muted">
      The practice coach answers here: prepared questions, no AI. An OpenAI key switches on the real one.
    </footer>
  );
}
