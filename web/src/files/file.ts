/** A file that a member gave. `file_type` is its media type. */
export type MemberFile = {
  id: string;
  file_name: string;
  file_size: number;
  file_type: string;
  created_at: string;
  kind?: 'document' | 'image';
  /** Told when it was read; null where the type has no pages. */
  pages?: number | null;
  /** Pixels of an image, as it is shown. */
  width?: number | null;
  height?: number | null;
  /** Its id in the library, where it was taken from there: a draft that leaves it out does not delete it. */
  library_id?: string;
  /** The member has deleted it everywhere; that it was there is all that is left. */
  deleted?: boolean;
};

/** A size in bytes as people read it: `512 bytes`, `48 kB`, `3.2 MB`. */
export function readableSize(size_bytes: number) {
  if (size_bytes < 1000) return size_bytes === 1 ? '1 byte' : `${size_bytes} bytes`;
  if (size_bytes < 999_500) return `${Math.round(size_bytes / 1000)} kB`;
  const megabytes = size_bytes / 1_000_000;
  return `${megabytes < 10 ? Math.round(megabytes * 10) / 10 : Math.round(megabytes)} MB`;
}

/** How much a file holds, as far as it is known: `48 kB`, or `48 kB, 6 pages` once it was read. */
export function readableLength({ file_size, pages }: Pick<MemberFile, 'file_size' | 'pages'>) {
  if (!pages) return readableSize(file_size);
  return `${readableSize(file_size)}, ${pages === 1 ? '1 page' : `${pages} pages`}`;
}

/**
 * Why a file need not even be sent, as a sentence; null when it may be tried: the server goes by what is in it, not by its name.
 */
export function refusalFor(
  file: { name: string; size: number; type: string },
  limits: { max_file_bytes: number; file_extensions: string[] },
) {
  if (/^(audio|video)\//.test(file.type)) {
    return `Coaches read ${limits.file_extensions.map((known) => known.slice(1).toUpperCase()).join(', ')}. Save it as one of these and attach it again.`;
  }
  if (file.size === 0) return 'This file is empty. Check it and attach it again.';
  if (file.size > limits.max_file_bytes) {
    return `This file has ${readableSize(file.size)}; up to ${readableSize(limits.max_file_bytes)} can be read. Split it and attach the part that matters.`;
  }
  return null;
}
