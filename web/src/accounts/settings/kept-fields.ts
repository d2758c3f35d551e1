/** What was typed into a form, by the name of its field. */
type Typed<Name extends string> = Partial<Record<Name, string>>;

const keyFor = (form: string, member_id: string) => `touchline.${form}.${member_id}`;

/** Keeps what was typed in this tab, because the sign-in has ended and the page goes. */
export function keepTyped<Name extends string>(form: string, member_id: string, typed: Typed<Name>) {
  try {
    sessionStorage.setItem(keyFor(form, member_id), JSON.stringify(typed));
  } catch {
    // Storage is full or closed to us; it then has to be typed again.
  }
}

/** What was kept; nothing where nothing was. */
export function readTyped<Name extends string>(form: string, member_id: string): Typed<Name> {
  try {
    return JSON.parse(sessionStorage.getItem(keyFor(form, member_id)) ?? '{}');
  } catch {
    return {};
  }
}

/** Forgets what was kept: it is on the page again. */
export function forgetTyped(form: string, member_id: string) {
  try {
    sessionStorage.removeItem(keyFor(form, member_id));
  } catch {
    // There is nothing to forget.
  }
}
