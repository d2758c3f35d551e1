/** Why a document that its type's reader accepted cannot be taken in. */
export class UnreadableDocument extends Error {
  readonly problem: 'broken' | 'broken_json' | 'too_big_inside' | 'no_text_in_pdf' | 'no_text';
  constructor(problem: UnreadableDocument['problem']) {
    super(problem);
    this.name = 'UnreadableDocument';
    this.problem = problem;
  }
}
