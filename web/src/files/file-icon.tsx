import FileCode from 'lucide-react/icons/file-code';
import FileImage from 'lucide-react/icons/file-image';
import FileSpreadsheet from 'lucide-react/icons/file-spreadsheet';
import FileText from 'lucide-react/icons/file-text';

/** What kind of file it is. Decoration: the name stands beside it. */
export function FileIcon({ file_type, size = 16 }: { file_type: string; size?: number }) {
  const Icon = iconFor(file_type);
  return <Icon size={size} aria-hidden="true" className="shrink-0 text-muted" />;
}

function iconFor(file_type: string) {
  if (file_type.startsWith('image/')) return FileImage;
  if (/csv|sheet/.test(file_type)) return FileSpreadsheet;
  return /html|json/.test(file_type) ? FileCode : FileText;
}
