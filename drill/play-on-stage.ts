import { describeAcknowledged, type Outcome } from './outcome.ts';
import { type Stage, type StageOptions, setStage } from './stage.ts';

type PlayOptions = StageOptions & {
  /** What the comparison has to know. */
  comparing?: Parameters<Stage['compare']>[0];
};

/** Plays a drill on a stage of its own, and compares afterwards. `play` returns what it did, in words. */
export async function playOnStage(
  { comparing, ...options }: PlayOptions,
  play: (stage: Stage) => Promise<string>,
): Promise<Outcome> {
  const stage = await setStage(options);
  try {
    const did = await play(stage);
    return { did, acknowledged: describeAcknowledged(stage), differences: await stage.compare(comparing) };
  } finally {
    await stage.stop();
  }
}
