// Loaded before a measured server, the relay as well as Touchline, to ask it for its memory and processor time.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { answerQuestions } from './ask.ts';

let profiler: Session | undefined;

answerQuestions(
  {
    /** Resident bytes after everything that can be collected is. */
    memory: async () => {
      for (let round = 0; round < 3; round++) {
        await globalThis.gc?.({ type: 'major', execution: 'async', flavor: 'last-resort' });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return process.memoryUsage().rss;
    },
    /** Processor seconds so far, all threads. */
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    /** Begins to write down where the processor time goes. */
    profile: async () => {
      profiler = new Session();
      profiler.connect();
      await profiler.post('Profiler.enable');
      await profiler.post('Profiler.setSamplingInterval', { interval: 200 });
      await profiler.post('Profiler.start');
    },
    /** Ends that, and writes it to a file that Chrome's developer tools and VS Code open. */
    profiled: async (path: string) => {
      const { profile } = await profiler!.post('Profiler.stop');
      writeFileSync(path, JSON.stringify(profile));
      profiler!.disconnect();
    },
  },
  // Touchline has its own way to end.
  { stays: true },
);
