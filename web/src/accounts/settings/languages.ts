/** Languages to choose from, with the regions in which dates or numbers are written differently. */
const tags =
  'af ar bg bn ca cs da de-AT de-CH de-DE el en-AU en-CA en-GB en-IE en-IN en-US es-ES es-MX et fa fi fil fr-BE fr-CA fr-CH fr-FR ga he hi hr hu id is it ja ko lt lv ms nb nl nl-BE pl pt-BR pt-PT ro ru sk sl sq sr sv sw ta th tr uk ur vi zh-Hans zh-Hant';

/** Every language to choose from by its own name, sorted; `also`: tags that must be among them. */
export function languageChoices(also: (string | null)[]): { tag: string; name: string }[] {
  const all = new Set([...tags.split(' '), ...also.filter((tag) => tag !== null)]);
  return [...all]
    .map((tag) => ({ tag, name: languageName(tag) }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** A language by its own name, as `Deutsch (Österreich)`; the tag where this browser knows none. */
export function languageName(tag: string) {
  try {
    const name =
      new Intl.DisplayNames([tag], { type: 'language', languageDisplay: 'standard' }).of(tag) ?? tag;
    return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
  } catch {
    return tag;
  }
}

/** Every time zone by its part of the world: names of the IANA database. `also` must be among them. */
export function timeZoneChoices(also: (string | null)[]) {
  const all = new Set([
    ...Intl.supportedValuesOf('timeZone'),
    'UTC',
    ...also.filter((zone) => zone !== null),
  ]);
  return Map.groupBy([...all].sort(), (zone) => (zone.includes('/') ? zone.split('/')[0]! : 'Other'));
}

/** `Argentina, Buenos Aires` for `America/Argentina/Buenos_Aires`. */
export function timeZoneName(zone: string) {
  const [, ...places] = zone.split('/');
  return (places.length === 0 ? zone : places.join(', ')).replaceAll('_', ' ');
}
