/** What a file is to Touchline: searched as text, or shown to the model as a picture. */
export type FileKind = 'document' | 'image';

/** One type of file that members may upload. The first extension is the usual one. */
export type FileType = {
  file_type: string;
  kind: FileKind;
  extensions: readonly [string, ...string[]];
};

const office = 'application/vnd.openxmlformats-officedocument';

/** The files that Touchline takes. The five texts differ only in the file's name, and in what their readers find. */
export const fileTypes = {
  pdf: { file_type: 'application/pdf', kind: 'document', extensions: ['.pdf'] },
  docx: { file_type: `${office}.wordprocessingml.document`, kind: 'document', extensions: ['.docx'] },
  xlsx: { file_type: `${office}.spreadsheetml.sheet`, kind: 'document', extensions: ['.xlsx'] },
  csv: { file_type: 'text/csv', kind: 'document', extensions: ['.csv'] },
  markdown: { file_type: 'text/markdown', kind: 'document', extensions: ['.md', '.markdown'] },
  text: { file_type: 'text/plain', kind: 'document', extensions: ['.txt'] },
  html: { file_type: 'text/html', kind: 'document', extensions: ['.html', '.htm'] },
  json: { file_type: 'application/json', kind: 'document', extensions: ['.json'] },
  png: { file_type: 'image/png', kind: 'image', extensions: ['.png'] },
  jpeg: { file_type: 'image/jpeg', kind: 'image', extensions: ['.jpg', '.jpeg'] },
  webp: { file_type: 'image/webp', kind: 'image', extensions: ['.webp'] },
  gif: { file_type: 'image/gif', kind: 'image', extensions: ['.gif'] },
} as const satisfies Record<string, FileType>;

export type FileTypeName = keyof typeof fileTypes;

/** The endings that a file dialog offers. */
export const fileExtensions: string[] = Object.values(fileTypes).flatMap(({ extensions }) => extensions);

/** The type that an ending claims, in lower case with its dot. */
export const typeOfExtension: ReadonlyMap<string, FileTypeName> = new Map(
  Object.entries(fileTypes).flatMap(([name, { extensions }]) =>
    extensions.map((extension) => [extension, name as FileTypeName] as const),
  ),
);
