import { type RunningTurns, TurnStopped } from './running-turns.ts';

/** Stops the replies that this process makes for a person; those of other processes stop with their next checkpoint. */
export function stopTurnsOf(running_turns: RunningTurns, auth_id: string): void {
  for (const id of running_turns.ids()) {
    const turn = running_turns.get(id);
    if (turn?.auth_id === auth_id) turn.abort.abort(new TurnStopped());
  }
}
