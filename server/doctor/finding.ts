/**
 * One line of the doctor. `wrong`: something does not work, and the sentence ends with the click or command that mends
 * it. `note`: it works, and is worth knowing. A sentence is made of our own words, numbers and codes; what another
 * program said, or a setting's value, may hold a secret and never goes in.
 */
export type Finding = { verdict: 'good' | 'note' | 'wrong'; about: string; sentence: string };

/** The three verdicts about one thing. */
export function findingsAbout(about: string) {
  const finding =
    (verdict: Finding['verdict']) =>
    (sentence: string): Finding => ({ verdict, about, sentence });
  return { good: finding('good'), note: finding('note'), wrong: finding('wrong') };
}

/** The line for the terminal. */
export function formatFinding({ verdict, about, sentence }: Finding): string {
  return `${verdict.padEnd(5)}  ${about}: ${sentence.replace(/\s+/g, ' ')}`;
}
