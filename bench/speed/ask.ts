import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';

/** A process of the measurement that can be asked questions. */
export type Part = {
  pid: number;
  /** Asks; rejects with what went wrong there, or when it has ended. */
  ask: <Answer>(question: string, argument?: unknown) => Promise<Answer>;
  stop: () => Promise<void>;
};

type Question = { id: number; question: string; argument: unknown };
type Answer = { id: number; answer?: unknown; error?: string };

// biome-ignore lint/suspicious/noExplicitAny: each answer takes the argument that its question comes with.
type Answers = Record<string, (argument: any) => unknown>;

/** Answers the questions of the process that started this one, and ends with it unless it `stays`. */
export function answerQuestions(answers: Answers, { stays = false } = {}) {
  process.on('message', async ({ id, question, argument }: Question) => {
    const answerQuestion = answers[question];
    if (!answerQuestion) return;
    try {
      process.send!({ id, answer: await answerQuestion(argument) } satisfies Answer);
    } catch (error) {
      process.send!({ id, error: String((error as Error).stack) } satisfies Answer);
    }
  });
  if (!stays) process.on('disconnect', () => process.exit());
}

const canPin = process.platform === 'linux' && spawnSync('taskset', ['--version']).status === 0;
const cores = availableParallelism();
export const isPinned = canPin && cores > 1;

/** What is measured has a core of its own, and everything else the others. */
type Place = 'measured' | 'others';

/** Puts a running process and all its threads on its cores. */
export function pin(pid: number, place: Place) {
  if (!isPinned) return;
  const list = place === 'measured' ? '0' : `1-${cores - 1}`;
  spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', list, String(pid)]);
}

/** Starts a script of ours on its cores. `nodeArgs` stand before it. */
export function startPart(
  script: string,
  place: Place,
  { nodeArgs = [], env = {} }: { nodeArgs?: string[]; env?: Record<string, string> } = {},
): Part & { child: ChildProcess } {
  const list = place === 'measured' ? '0' : `1-${cores - 1}`;
  const command = [process.execPath, ...nodeArgs, script];
  const [program, ...args] = isPinned ? ['taskset', '--cpu-list', list, ...command] : command;
  const child = spawn(program!, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const waiting = new Map<number, (answer: Answer) => void>();
  let last_id = 0;
  child.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  child.on('exit', (code) => {
    for (const [id, tell] of waiting) tell({ id, error: `${script} has ended with ${code}` });
  });
  return {
    child,
    pid: child.pid!,
    async ask<Answered>(question: string, argument?: unknown) {
      const id = ++last_id;
      const { answer, error } = await new Promise<Answer>((resolve) => {
        waiting.set(id, resolve);
        child.send({ id, question, argument } satisfies Question);
      });
      if (error) throw new Error(error);
      return answer as Answered;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
