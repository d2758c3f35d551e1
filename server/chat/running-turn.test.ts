import { expect, it } from 'vitest';
import { RunningTurn } from './running-turn.ts';

function readAlong() {
  const turn = new RunningTurn({
    id: 'turn',
    auth_id: 'member',
    session_id: 'chat',
    user_message_id: 'message',
    title: 'Bread',
  });
  const told: string[] = [];
  turn.join({ text: (stretch) => told.push(stretch), status() {}, citation() {}, end() {} }, 0);
  return { turn, told };
}

it('a character that comes in two halves is told whole', () => {
  const { turn, told } = readAlong();
  turn.addText('a \ud83e');
  turn.addText('\udd68 b');
  expect(told).toEqual(['a ', '🥨 b']);
  expect(turn.text).toBe('a 🥨 b');
});

it('a half that stays alone is replaced, at the end too, and so is NUL: offsets stay', () => {
  const { turn, told } = readAlong();
  turn.addText('a\0b \udd68 c \ud83e');
  turn.addText('d');
  turn.addText('\ud83e');
  turn.endText();
  expect(told.join('')).toBe('a\ufffdb \ufffd c \ufffdd\ufffd');
  expect(turn.text).toHaveLength('a\0b \udd68 c \ud83ed\ud83e'.length);
});
